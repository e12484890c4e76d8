"""Our names against those of the installed transformers, read in its source without torch."""

import ast
import inspect
from importlib.util import find_spec
from pathlib import Path

from latentcut.integrations.hf import (
    PADDING_LABEL,
    LatentcutModel,
    LatentcutProcessor,
    SegmentationOutput,
)

SAM = Path(find_spec("transformers").origin).parent / "models" / "sam"


def class_of(file: str, name: str) -> ast.ClassDef:
    """A class as it is written in the source of transformers."""
    tree = ast.parse((SAM / file).read_text(encoding="utf-8"))
    return next(each for each in tree.body if isinstance(each, ast.ClassDef) and each.name == name)


def defaults_of(theirs: ast.ClassDef, name: str) -> dict[str, str | None]:
    """Arguments of one of their methods, each with its default as it is written."""
    method = next(
        each for each in theirs.body if isinstance(each, ast.FunctionDef) and each.name == name
    )
    names = [each.arg for each in method.args.args if each.arg != "self"]
    defaults = [ast.unparse(each) for each in method.args.defaults]
    return dict(zip(names, [None] * (len(names) - len(defaults)) + defaults, strict=True))


def parameters_of(method) -> list[inspect.Parameter]:
    """Our named arguments."""
    given = inspect.signature(method).parameters.values()
    return [each for each in given if each.name != "self" and each.kind != each.VAR_KEYWORD]


def test_the_processor_takes_arguments_of_theirs():
    theirs = defaults_of(class_of("processing_sam.py", "SamProcessor"), "__call__")

    ours = {each.name for each in parameters_of(LatentcutProcessor.__call__)}

    assert ours - set(theirs) == {"return_tensors"}  # theirs is among the keyword arguments
    assert set(theirs) - ours == {"text"}  # which theirs takes for other models' sake


def test_the_model_takes_arguments_of_theirs_in_their_order():
    theirs = defaults_of(class_of("modeling_sam.py", "SamModel"), "forward")

    ours = [each.name for each in parameters_of(LatentcutModel.__call__)]

    assert [name for name in theirs if name in ours] == ours
    assert theirs["multimask_output"] == "True"


def test_masks_are_processed_with_their_arguments_and_defaults():
    theirs = defaults_of(
        class_of("image_processing_pil_sam.py", "SamImageProcessorPil"), "post_process_masks"
    )

    ours = {
        each.name: None if each.default is each.empty else repr(each.default)
        for each in parameters_of(LatentcutProcessor.post_process_masks)
    }

    assert list(theirs.items())[: len(ours)] == list(ours.items())


def test_the_output_has_names_of_theirs():
    theirs = class_of("modeling_sam.py", "SamImageSegmentationOutput")

    names = {each.target.id for each in theirs.body if isinstance(each, ast.AnnAssign)}

    assert set(inspect.signature(SegmentationOutput).parameters) <= names


def test_objects_are_filled_up_with_their_padding():
    theirs = class_of("processing_sam.py", "SamProcessor")

    (padding,) = (
        ast.literal_eval(each.value)
        for each in theirs.body
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "point_pad_value"
    )

    assert padding == PADDING_LABEL
