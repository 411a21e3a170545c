"""Columns of text."""


def aligned(rows: list[tuple[str, ...]], left_columns: int) -> list[str]:
    """One line a row; the first columns are aligned to the left, the others, being numbers, to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    return [
        "  ".join(
            cell.ljust(width) if column < left_columns else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    ]
