"""Code lists searched by words: ICD-10 and ICD-9-CM."""

__all__ = ["code_search", "icd10"]
