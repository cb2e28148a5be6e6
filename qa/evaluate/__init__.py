"""How well questions are answered: on test collections, and on a clinic's own questions."""
