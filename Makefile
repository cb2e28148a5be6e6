# `make run` and `make test` work from a fresh clone with Python 3.11 and nothing else of ours.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run build test lint types imports bench audit samples clean

run: $(READY) build  ## build the index over the documents, then open the app
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/streamlit run app.py

build: $(READY)  ## build the index; what did not change comes from the cache
	$(BIN)/clinic-qa build || test $$? -eq 3

test: $(READY)  ## every test, in two processes
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile

lint: $(READY)  ## style, types and import order
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## speed, as ratios measured in one run: make bench DATA=folder in the BEIR layout
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/build_and_ask.py $(DATA)

audit: $(READY)  ## known weaknesses of the installed packages; asks PyPI, and fails where it cannot
	$(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' > $(VENV)/installed.txt
	$(BIN)/pip-audit --strict --no-deps --disable-pip -r $(VENV)/installed.txt

samples: $(READY)  ## draw the sample corpus's PDF and DOCX files anew
	$(BIN)/python scripts/make_sample_documents.py

clean:
	rm -rf $(VENV) index/generations index/cache index/evaluation index/current

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 …")'
	@echo "Setting up: about 750 MB are downloaded and 2.7 GB installed; this takes some minutes."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -e ".[dev]"
	touch $@
