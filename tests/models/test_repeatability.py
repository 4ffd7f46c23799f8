"""Networks whose answer depends on the batch or on chance: switched off, or refused with the module's name."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nap_core.errors import UserError
from nap_core.models import LoadedModel
from tests.models.test_output import assembled, codes, logits_of


class Network(nn.Module):
    """Two blocks; ``between`` is applied to the map between them, ``after`` to the features."""

    def __init__(self, between: Callable[[Tensor], Tensor], after: Callable[[Tensor], Tensor] = lambda x: x) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU())
        self.between, self.after = between, after
        self.second = nn.Sequential(nn.Conv2d(8, 8, 3, 1, 1), nn.ReLU())
        self.fc = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.after(self.second(self.between(self.first(x))).mean((2, 3))))


class AlwaysDrops(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, 0.3, training=True)


class OfTheBatch(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return (x - x.mean(0)) / (x.std(0, unbiased=False) + 0.1)


class StaysInTraining(nn.Dropout):
    """It leaves itself out of eval()."""

    def train(self, mode: bool = True) -> nn.Module:
        return self


def made(between: Callable[[Tensor], Tensor], after: Callable[[Tensor], Tensor] = lambda x: x) -> LoadedModel:
    torch.manual_seed(0)
    return assembled(Network(between, after))


REFUSED = {
    "functional dropout": (lambda x: F.dropout(x, 0.3), "another answer each time", "second.0"),
    "a module that drops": (AlwaysDrops(), "another answer each time", "between"),
    "BatchNorm without statistics": (nn.BatchNorm2d(8, track_running_stats=False), "other images", "between"),
    "a function of the batch": (lambda x: x - x.mean(0), "other images", "second.0"),
    "a module of the batch": (OfTheBatch(), "other images", "between"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_place(name: str) -> None:
    between, why, place = REFUSED[name]
    with pytest.raises(UserError, match=why) as refused:
        made(between)
    assert place in str(refused.value)


def test_batch_norm_set_to_training_in_forward() -> None:
    class Trains(nn.BatchNorm2d):
        def forward(self, x: Tensor) -> Tensor:
            self.training = True
            return super().forward(x)

    with pytest.raises(UserError, match=r"other images.*between"):
        made(Trains(8))


def test_rare_dropout_is_seen_by_its_random_numbers() -> None:
    assert codes(made(lambda x: F.dropout(x, 1e-9))) == {"repeatability": "warning"}


@pytest.mark.parametrize("module", [StaysInTraining(0.5), nn.Sequential(StaysInTraining(0.5))])
def test_what_stays_in_training_mode_is_switched_off(module: nn.Module) -> None:
    model = made(module)
    assert codes(model) == {"repeatability": "note"} and "between" in model.findings[0].sentence
    np.testing.assert_array_equal(logits_of(model), logits_of(made(nn.Identity())))


@pytest.mark.parametrize("between", [nn.Dropout(0.5), nn.BatchNorm2d(8), nn.InstanceNorm2d(8), nn.Identity()])
def test_sound_networks_pass_and_no_random_number_is_drawn(between: nn.Module) -> None:
    torch.manual_seed(0)
    network = Network(between)
    state = torch.get_rng_state()
    assert not assembled(network).findings
    assert torch.equal(state, torch.get_rng_state())


def test_random_numbers_of_the_caller_stay_as_they_are() -> None:
    torch.manual_seed(0)
    network, state = Network(lambda x: F.dropout(x, 0.5)), torch.get_rng_state()
    with pytest.raises(UserError):
        assembled(network)
    assert torch.equal(state, torch.get_rng_state())


def test_a_squeeze_that_loses_the_row_of_a_single_image() -> None:
    with pytest.raises(UserError, match="1 image without a row"):
        made(lambda x: x, torch.squeeze)


class TestNotFinite:
    def test_some_answers(self) -> None:
        class NotOfFaintImages(Network):
            def forward(self, x: Tensor) -> Tensor:
                return torch.where(x.std((1, 2, 3))[:, None] < 0.7, torch.inf, super().forward(x))

        torch.manual_seed(0)
        model = assembled(NotOfFaintImages(nn.Identity()))
        assert codes(model) == {"output": "warning"} and "1 of 3" in model.findings[0].sentence

    def test_all_answers(self) -> None:
        with pytest.raises(UserError, match="not finite"):
            made(lambda x: x, lambda x: x / 0)
