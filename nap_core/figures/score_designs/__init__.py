"""Designs of the score: Table 6 as a picture, a written score beside S_NAP, what ε does, and the oracle (Figure 4a)."""

from nap_core.figures.score_designs.board import Board, printed_table
from nap_core.figures.score_designs.designs import design_picture, least_width
from nap_core.figures.score_designs.epsilon import epsilon_picture
from nap_core.figures.score_designs.oracle import oracle_picture
from nap_core.figures.score_designs.written import beside, verdict

__all__ = [
    "Board",
    "beside",
    "design_picture",
    "epsilon_picture",
    "least_width",
    "oracle_picture",
    "printed_table",
    "verdict",
]
