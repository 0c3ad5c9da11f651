"""Prompts and answers as tokens, in the model's own chat format, and the likelihood a model gives an answer.

A prompt is a text: a single request, or a dialogue in the format of hh-rlhf, "\\n\\nHuman: .. \\n\\nAssistant:". A model with a chat
template sees the turns of a chat; one without sees the text. Training, generation and measurement share this module, so that what
is measured is what was trained.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...data.text import ASSISTANT, HUMAN
from ...support.errors import BadInput
from ...support.progress import bar

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

    from .load import LanguageModel

Turn = dict[str, str]  # {"role": "user" or "assistant", "content": text}
Chat = list[Turn]

_SPEAKER = re.compile(f"({re.escape(HUMAN)}|{re.escape(ASSISTANT)})")
_ROLES = {HUMAN: "user", ASSISTANT: "assistant"}
END_OF_TURN = 4  # tokens that a chat template may put after an answer


class Example(NamedTuple):
    """Tokens of a prompt and of the answer that follows it.

    Attributes
    ----------
    prompt, answer : lists of int
    """

    prompt: list[int]
    answer: list[int]


def chat(prompt: str) -> Chat:
    """Return the turns of a prompt, the last of them the user's, which the assistant is to answer.

    Turns of one speaker in a row are joined, because most templates want the speakers to alternate.
    """
    if not _SPEAKER.match(prompt):
        return [{"role": "user", "content": prompt.strip()}]
    _, *parts = _SPEAKER.split(prompt)
    turns: Chat = []
    for speaker, said in zip(parts[::2], parts[1::2], strict=True):
        role, content = _ROLES[speaker], said.strip()
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] = f"{turns[-1]['content']}\n\n{content}".strip()
        elif content or turns:
            turns.append({"role": role, "content": content})
    if turns and turns[-1] == {"role": "assistant", "content": ""}:
        turns.pop()
    return turns or [{"role": "user", "content": ""}]


def shortened(tokenizer: PreTrainedTokenizerBase, prompt: str | Chat, room: int) -> Chat | str:
    """Return a prompt cut to a number of tokens: a chat where the tokenizer has a chat template, else a text.

    A prompt that is too long loses its beginning: whole turns first, then the start of the one turn that is left.

    Parameters
    ----------
    tokenizer
    prompt : str or Chat
    room : int
        The most tokens, if possible.
    """
    if tokenizer.chat_template is None:
        text = prompt if isinstance(prompt, str) else "\n\n".join(turn["content"] for turn in prompt)
        return _last_tokens(tokenizer, text, room)
    turns = chat(prompt) if isinstance(prompt, str) else list(prompt)
    while (excess := len(prompt_tokens(tokenizer, turns)) - room) > 0 and len(turns) > 1:
        later = next((i for i, turn in enumerate(turns) if i and turn["role"] == "user"), len(turns) - 1)
        turns = turns[later:]
    if excess > 0:
        said = turns[0]["content"]
        kept = len(tokenizer(said, add_special_tokens=False)["input_ids"]) - excess
        turns = [{**turns[0], "content": _last_tokens(tokenizer, said, max(kept, 1))}]
    return turns


def formatted(
    tokenizer: PreTrainedTokenizerBase, prompt: str, answers: Sequence[str], max_length: int
) -> tuple[Chat | str, list[Chat] | list[str]]:
    """Return a prompt and its answers as TRL takes them, chats or texts.

    A prompt that exceeds the length with the longest of its answers is shortened, but may keep half of that length; what is then still
    too much is cut from the answers' end.

    Parameters
    ----------
    tokenizer
    prompt : str
    answers : sequence of str
    max_length : int
        The most tokens of prompt and answer.

    Raises
    ------
    BadInput
        Where the model's format of a prompt alone takes up the whole length.
    """
    longest = max(len(tokenizer(answer, add_special_tokens=False)["input_ids"]) for answer in answers) + END_OF_TURN
    shown = shortened(tokenizer, prompt, max_length - min(longest, max_length // 2))
    if len(prompt_tokens(tokenizer, shown)) >= max_length:
        raise BadInput(f"a prompt alone takes {max_length} tokens or more in the model's format: raise max_length")
    if isinstance(shown, str):
        return shown, list(answers)
    return shown, [[{"role": "assistant", "content": answer.strip()}] for answer in answers]


def prompt_tokens(tokenizer: PreTrainedTokenizerBase, prompt: Chat | str) -> list[int]:
    """Return the tokens of a prompt up to where the answer begins.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        Of the model.
    prompt : str or messages
        A text as it is, or a chat in the format of its template.
    """
    if isinstance(prompt, str):
        return tokenizer(prompt)["input_ids"]
    return tokenizer.apply_chat_template(prompt, add_generation_prompt=True, tokenize=True, return_dict=True)["input_ids"]


def examples(tokenizer: PreTrainedTokenizerBase, prompt: str, answers: Sequence[str], max_length: int) -> list[Example]:
    """Return an example for each answer, tokenized as TRL does for training: the answer ends with the model's end of turn.

    Arguments and errors as of `formatted`.
    """
    shown, texts = formatted(tokenizer, prompt, answers, max_length)
    start = prompt_tokens(tokenizer, shown)
    wholes = []
    for text in texts:
        if isinstance(text, str):
            wholes.append(tokenizer(shown + text + tokenizer.eos_token)["input_ids"])
        else:
            wholes.append(tokenizer.apply_chat_template(shown + text, tokenize=True, return_dict=True)["input_ids"])
    shared = min(_common(start, whole) for whole in wholes)
    return [Example(whole[:shared], whole[shared:max_length]) for whole in wholes]


def log_likelihoods(model: LanguageModel, sequences: Sequence[Example], *, batch: int = 8, progress: bool = False) -> np.ndarray:
    """Return the log-probability of every answer after its prompt, summed over the answer's tokens, (k,).

    Parameters
    ----------
    model : LanguageModel
    sequences : k examples
    batch : int
        Sequences computed at once.
    progress : bool
        Whether to show a progress bar.
    """
    result = np.zeros(len(sequences))
    order = sorted(range(len(sequences)), key=lambda i: len(sequences[i].prompt) + len(sequences[i].answer))
    with bar("likelihoods", progress) as show:
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            result[rows] = batch_log_likelihoods(model, [sequences[i] for i in rows])
            show(min(start + batch, len(order)), len(order))
    return result


def left_padded(model: LanguageModel, rows: Sequence[list[int]]) -> dict:
    """Return input_ids and attention_mask of rows of tokens, on the model's device; the rows end together, so that answers do."""
    import torch

    width = max(map(len, rows))
    pad = model.tokenizer.pad_token_id
    ids = torch.tensor([[pad] * (width - len(row)) + row for row in rows], device=model.device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=model.device)
    return {"input_ids": ids, "attention_mask": mask}


def batch_log_likelihoods(model: LanguageModel, sequences: Sequence[Example]) -> np.ndarray:
    """Return the log-probability of every answer as `log_likelihoods` does, (k,), all computed at once."""
    import torch

    inputs = left_padded(model, [one.prompt + one.answer for one in sequences])
    with torch.inference_mode():
        return answer_log_probabilities(model.model, inputs, [len(one.answer) for one in sequences]).cpu().numpy()


def answer_log_probabilities(model: torch.nn.Module, inputs: dict[str, torch.Tensor], lengths: Sequence[int]) -> torch.Tensor:
    """Return the log-probability of the last tokens of every row after those before, (k,), through which gradients flow.

    Parameters
    ----------
    model : torch.nn.Module
        Of transformers or peft.
    inputs : dict
        Of `left_padded`.
    lengths : sequence of k int
        How many tokens of a row are its answer.
    """
    import torch

    positions = (inputs["attention_mask"].cumsum(1) - 1).clamp(min=0)
    longest = max(lengths)
    logits = model(**inputs, position_ids=positions, logits_to_keep=longest + 1, use_cache=False).logits[:, -longest - 1 : -1].float()
    each = torch.log_softmax(logits, dim=-1).gather(2, inputs["input_ids"][:, -longest:].unsqueeze(2)).squeeze(2).double()
    answer = torch.arange(longest, 0, -1, device=each.device) <= torch.tensor(lengths, device=each.device)[:, None]
    return (each * answer).sum(dim=1)


def _last_tokens(tokenizer: PreTrainedTokenizerBase, text: str, count: int) -> str:
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    return text if len(tokens) <= count else tokenizer.decode(tokens[len(tokens) - count :])


def _common(a: list[int], b: list[int]) -> int:
    """The length of the beginning that both share."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
