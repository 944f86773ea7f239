"""Documents on paper: the lines to print, and the bytes a printer needs for them."""

__all__ = ["documents", "escpos", "paper_form"]
