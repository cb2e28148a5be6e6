from __future__ import annotations

import pytest

from qa.language import foreign_language


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("¿Puedo conducir después de la infusión?", "es"),
        ("puedo comer antes de la infusion", "es"),
        ("Wie viel kostet eine Infusion?", "de"),
        ("combien coûte le traitement par kétamine", "fr"),
        ("лечение тревоги кетамином", "other"),
        ("ケタミンの費用", "other"),
    ],
)
def test_plainly_foreign_questions_are_found(question: str, language: str) -> None:
    """A question that is plainly in another language or script is named as such."""
    assert foreign_language(question, ["en"]) == language


@pytest.mark.parametrize(
    "question",
    [
        "can i drive home after",
        "k infuson loopy",
        "ketamine GAD",
        "ssri maoi ok?",
        "costo?",
        "can i take ketamina con mi medicina de presion",
        "Is hepcidin toxic?",
        "botox copay",
        "wifi password",
        "i no sleep since 3 day is normal after infusion?",
        "zoloft prozac xanax",
    ],
)
def test_messy_english_is_english(question: str) -> None:
    """Misspelt, short and mixed questions are looked up, not turned away."""
    assert foreign_language(question, ["en"]) is None


def test_the_clinics_own_languages_are_never_foreign() -> None:
    """A clinic with Spanish documents looks up Spanish questions."""
    assert foreign_language("¿Puedo conducir después de la infusión?", ["en", "es"]) is None
