"""The rows of a table, CSV or Parquet, as text by column."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

from gatekeeper.errors import Code, Place, Problem, UsageError

CheckHeader = Callable[[list[str]], None]


def read_rows(path: Path, check_header: CheckHeader, problems: list[Problem]) -> Iterator[tuple[int, dict[str, str]]]:
    """Give line number (of Parquet: row number) and cells of each row that is not blank, stripped.

    ``check_header`` is given the names of the columns first; rows of another length go to ``problems``. Raises
    UsageError when the table is not there or cannot be read.
    """
    return _parquet_rows(path, check_header) if path.suffix == ".parquet" else _csv_rows(path, check_header, problems)


def _csv_rows(path: Path, check_header: CheckHeader, problems: list[Problem]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            header = [name.strip() for name in next(reader, [])]
            check_header(header)
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) == len(header):
                    yield reader.line_num, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
                    continue
                what = f"{len(cells)} cells where the header has {len(header)}"
                place = Place(str(path), reader.line_num)
                problems.append(Problem(Code.BAD_TABLE, what, place, mend="mend the row; quote commas in text"))
    except FileNotFoundError as error:
        raise UsageError(Code.FILE_NOT_FOUND, "no such table", where=str(path), mend="check the path") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise UsageError(Code.BAD_TABLE, "the table cannot be read as CSV", where=str(path), why=why) from error


def _parquet_rows(path: Path, check_header: CheckHeader) -> Iterator[tuple[int, dict[str, str]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
        names, rows = table.column_names, table.to_pylist()
    except FileNotFoundError as error:
        raise UsageError(Code.FILE_NOT_FOUND, "no such table", where=str(path), mend="check the path") from error
    except (OSError, pa.ArrowException, ValueError) as error:
        raise UsageError(Code.BAD_TABLE, "the table cannot be read as Parquet", where=str(path)) from error
    check_header(names)
    for number, row in enumerate(rows, start=1):
        yield number, {name: "" if value is None else str(value).strip() for name, value in row.items()}
