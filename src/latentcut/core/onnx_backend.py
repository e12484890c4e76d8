"""The backend users get: the two graphs of a bundle in ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from latentcut.core.backend import Features, FloatArray
from latentcut.errors import BundleBroken

ENCODER_INPUTS = ("image",)
ENCODER_OUTPUTS = ("trunk", "embedding", "head", "detail")
DECODER_INPUTS = (*ENCODER_OUTPUTS, "guidance", "click_index", "click_sign")
DECODER_OUTPUTS = ("logits", "scores")

# Every reference of an ONNX graph to a file is an entry with this key. The runtime follows it,
# older releases to any path, even when the graph was given as bytes. Our graphs hold no such word.
EXTERNAL_DATA_KEY = b"location"


class OnnxBackend:
    """
    Encoder and decoder graphs on the CPU.

    Args:
        encoder: Bytes of the graph image -> features.
        decoder: Bytes of the graph features and clicks -> logits and scores.
        num_masks: M.
        threads: Threads per graph run; 0 lets ONNX Runtime choose.

    Raises:
        BundleBroken: A graph cannot be loaded, keeps weights in other files or has other
            inputs or outputs.
    """

    def __init__(self, encoder: bytes, decoder: bytes, num_masks: int, threads: int = 0) -> None:
        self.num_masks = num_masks
        self._encoder = _open_graph(encoder, "encoder", threads, ENCODER_INPUTS, ENCODER_OUTPUTS)
        self._decoder = _open_graph(decoder, "decoder", threads, DECODER_INPUTS, DECODER_OUTPUTS)

    def encode(self, image: NDArray[np.uint8]) -> Features:
        """See Backend.encode."""
        outputs = self._encoder.run(list(ENCODER_OUTPUTS), {"image": image[None]})
        for array in outputs:
            array.flags.writeable = False
        return tuple(outputs)

    def decode(
        self,
        features: Features,
        guidance: FloatArray,
        index: NDArray[np.int64],
        sign: FloatArray,
    ) -> tuple[FloatArray, FloatArray]:
        """See Backend.decode."""
        inputs: dict[str, NDArray[Any]] = dict(zip(ENCODER_OUTPUTS, features, strict=True))
        inputs |= {
            "guidance": guidance[None],
            "click_index": index[None],
            "click_sign": sign[None],
        }
        logits, scores = self._decoder.run(list(DECODER_OUTPUTS), inputs)
        return logits[0], scores[0]


def _open_graph(
    graph: bytes, name: str, threads: int, inputs: tuple[str, ...], outputs: tuple[str, ...]
) -> onnxruntime.InferenceSession:
    if EXTERNAL_DATA_KEY in graph:
        raise BundleBroken(
            f"the {name} graph keeps weights in other files; "
            "a graph of a bundle must hold all of its weights"
        )
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.load_model_format", "ONNX")
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # warnings of the runtime say nothing a user could act on
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime raises a dozen unrelated classes
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
        raise BundleBroken(f"the {name} graph cannot be loaded: {first_line}") from error
    found_in = tuple(node.name for node in session.get_inputs())
    found_out = tuple(node.name for node in session.get_outputs())
    if found_in != inputs or found_out != outputs:
        raise BundleBroken(
            f"the {name} graph has inputs {found_in} and outputs {found_out}, "
            f"needed are {inputs} and {outputs}"
        )
    return session
