"""The trainer of adapters in upper layers: transformers', with the losses of IPO and of answers on kept hidden states.

TRL's own losses ask the untrained model anew in every run, and on a processor for the probability of every token of the prompt as well:
at a small model that is most of the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .likelihood import Example, answer_log_probabilities, left_padded

if TYPE_CHECKING:
    import torch
    from peft import LoraConfig
    from transformers import Trainer

    from .load import LanguageModel
    from .upper import Kept


def upper_trainer(
    loaded: LanguageModel, examples: Sequence[Sequence[Example]], adapter: LoraConfig, kept: Kept, beta: float, arguments: dict[str, object]
) -> Trainer:
    """Return a trainer of a new adapter: by IPO on pairs of texts, chosen first, and by cross-entropy on single ones.

    Parameters
    ----------
    loaded : LanguageModel
        Of upper layers, see `upper.use_upper_layers`.
    examples : sequence of sequences of Example
        Two or one each.
    adapter : LoraConfig
    kept : Kept
    beta : float
        Of IPO.
    arguments : dict
        Of transformers' `TrainingArguments`.
    """
    import torch
    from peft import get_peft_model
    from transformers import Trainer, TrainingArguments, set_seed

    class UpperTrainer(Trainer):
        def compute_loss(self, model: torch.nn.Module, inputs: dict, return_outputs: bool = False, **_: object) -> torch.Tensor:
            lengths, reference = inputs.pop("lengths"), inputs.pop("reference")
            found = answer_log_probabilities(model, inputs, lengths.tolist())
            if reference is None:
                return -found.sum() / lengths.sum()
            chosen, rejected = ((found - reference) / lengths).chunk(2)
            return ((chosen - rejected - 1 / (2 * beta)) ** 2).mean()

    def collate(some: Sequence[Sequence[Example]]) -> dict[str, torch.Tensor | None]:
        texts = [one for column in zip(*some, strict=True) for one in column]  # all chosen answers come first
        reference = torch.from_numpy(kept.references(texts)).to(loaded.device) if len(some[0]) == 2 else None
        return {**left_padded(loaded, [one.prompt + one.answer for one in texts]), "reference": reference,
                "lengths": torch.tensor(np.array([len(one.answer) for one in texts]), device=loaded.device)}  # fmt: skip

    settings = TrainingArguments(**{**arguments, "remove_unused_columns": False, "dataloader_pin_memory": False})
    set_seed(settings.seed)  # the adapter begins at random
    trainer = UpperTrainer(get_peft_model(loaded.model, adapter), settings, data_collator=collate, train_dataset=list(examples))
    trainer.model_accepts_loss_kwargs = False  # the loss is a mean over a batch, to be averaged over those that make a step
    return trainer
