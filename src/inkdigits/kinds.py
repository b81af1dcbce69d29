"""Candidates in their surroundings come in; what each is comes out: a whole digit, a mark, struck out, a part of these, or something else."""

KINDS = ("digit", ".", ",", "-", "/", ":", "struck", "part", "other")
