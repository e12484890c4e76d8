"""Files of prompts, whatever their format."""

from __future__ import annotations

from pathlib import Path

from latentcut.batch.prompt_coco import prompts_of_coco
from latentcut.batch.prompt_csv import prompts_of_csv
from latentcut.batch.prompt_json import prompts_of_json
from latentcut.batch.prompts import Gathering, PromptSet
from latentcut.errors import FileMissing
from latentcut.formats.json_input import Source


def read_prompts(path: Path, folder: Path) -> PromptSet:
    """
    Read a file of prompts: CSV where its name says so, else JSON, ours or COCO's.

    Args:
        path: The file.
        folder: The image folder.

    Raises:
        FileMissing: There is no such file.
        BadPrompts: It is no such file as a whole; single entries that cannot be understood are
            listed instead.
        BadAnnotationFile: It is no JSON, or breaks a limit.
    """
    if not path.is_file():
        raise FileMissing(path, "a file of prompts")
    gathering = Gathering(folder, path.parent)
    if path.suffix.lower() == ".csv":
        return prompts_of_csv(path.name, path.read_bytes(), gathering)
    source = Source(path.name, path.read_bytes())
    document = source.json_object()
    if "annotations" in document:
        return prompts_of_coco(source, document, gathering)
    return prompts_of_json(path.name, document, gathering)
