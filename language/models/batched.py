"""Answers through vLLM, which batches prompts as memory allows: for published models on a GPU, where it is installed.

vLLM draws tokens by itself, from a seed of every prompt's own: other answers than those of `generation`, with the same distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...support.errors import BadInput
from . import load as models
from . import packages
from .likelihood import Chat, prompt_tokens, shortened

if TYPE_CHECKING:
    from .generation import Sampling


def usable() -> bool:
    """Return whether vLLM is installed and has a GPU to run on."""
    if packages.missing("vllm", "torch"):
        return False
    import torch

    return torch.cuda.is_available()


class Batched:
    """A model in vLLM, on every GPU that it sees.

    Parameters
    ----------
    name : str
        A model of the hub, or a local folder.
    sampling : Sampling
    quantize : bool
        Hold it in 4 bits.
    adapter : path, optional
        A folder with a LoRA adapter.

    Raises
    ------
    BadInput
        For a model in a GGUF file.
    """

    def __init__(self, name: str, sampling: Sampling, *, quantize: bool = False, adapter: str | PathLike[str] | None = None) -> None:
        import torch
        from vllm import LLM
        from vllm.lora.request import LoRARequest

        place, options = models.place(name)
        if "gguf_file" in options:
            raise BadInput(f"{name} comes in a GGUF file: leave vllm out of its sampling")
        self.sampling = sampling
        self.lora = None if adapter is None else LoRARequest("tuned", 1, str(adapter))
        rank = {} if adapter is None else {"enable_lora": True, "max_lora_rank": models.adapter_rank(Path(adapter))}
        four_bits = {"quantization": "bitsandbytes"} if quantize else {}
        self.model = LLM(model=place, max_model_len=sampling.max_length + sampling.max_new_tokens, seed=sampling.seed,
                         tensor_parallel_size=torch.cuda.device_count(), **rank, **four_bits)  # fmt: skip
        self.tokenizer = self.model.get_tokenizer()

    def generate(self, prompts: Sequence[str | Chat], numbers: Sequence[int]) -> list[str]:
        """Return an answer to every prompt; its random numbers follow from the seed and its number.

        Parameters
        ----------
        prompts : sequence of str or Chat
        numbers : sequence of int
            One a prompt.
        """
        from vllm import SamplingParams

        s = self.sampling
        rows = [prompt_tokens(self.tokenizer, shortened(self.tokenizer, prompt, s.max_length))[-s.max_length :] for prompt in prompts]
        seeds = [int(np.random.SeedSequence([s.seed, one]).generate_state(1)[0] >> 1) for one in numbers]
        drawn = [SamplingParams(temperature=s.temperature, top_p=s.top_p, max_tokens=s.max_new_tokens, seed=seed) for seed in seeds]
        found = self.model.generate([{"prompt_token_ids": row} for row in rows], drawn, lora_request=self.lora, use_tqdm=False)
        return [one.outputs[0].text.strip() for one in found]
