#!/usr/bin/env python3
"""Train the bundled CIFAR-10 networks from scratch, resumably, and write the weights and the log of each.

    python assets/build/train_cifar10.py --data DIR --out DIR [RUN ...]

DIR of ``--data`` holds ``cifar10_train.npz`` and ``cifar10_test.npz``, each with ``images`` (N, 32, 32, 3) uint8 and
``labels`` (N,). Each run (all of ``RUNS`` by default, one after the other) gets a folder of its own in ``--out``. A
finished run is passed over and an interrupted one goes on after its last finished epoch: every epoch draws from a
generator seeded with (seed, epoch). The last epoch's weights are written, not the best on the test set.

Two recipes, both SGD with momentum 0.9, batch 128, learning rate 0.1, random crops with 4 pixels of border, flips:

- ``steps``: weight decay 1e-4, learning rate cut by 10 at 50 % and 75 % of the epochs, black border, no Nesterov
  momentum (He et al. 2016, section 4.2; what the networks that OOD papers evaluate were trained with).
- ``cosine``: weight decay 5e-4, one epoch of warm-up and a cosine to zero, reflected border, Nesterov momentum.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from nap_core.models.cifar_networks import CifarDenseNet, CifarResNet

ARCHITECTURES: dict[str, Callable[[int], nn.Module]] = {
    "resnet20": lambda classes: CifarResNet(20, classes),
    "densenet_bc_100_12": lambda classes: CifarDenseNet(100, 12, classes),
}
MEAN = (0.4914, 0.4822, 0.4465)
STD = (0.2023, 0.1994, 0.2010)
BATCH = 128
AIRPLANE, AUTOMOBILE, DEER, HORSE, SHIP, TRUCK = 0, 1, 4, 7, 8, 9


@dataclass(frozen=True)
class Recipe:
    weight_decay: float
    border: str
    """How the 4 pixels around an image are filled before a crop: ``constant`` (black) or ``reflect``."""
    nesterov: bool
    rate: Callable[[float, float], float]
    """(fraction of training done, epochs done) → factor of the learning rate."""


@dataclass(frozen=True)
class Run:
    model: str
    recipe: str
    epochs: int
    seed: int
    classes: tuple[int, ...] = tuple(range(10))
    """Labels of CIFAR-10 that the network learns; they become 0 … K − 1 in this order."""


def step_rate(done: float, _: float) -> float:
    return 1.0 if done < 0.5 else 0.1 if done < 0.75 else 0.01


def cosine_rate(done: float, epochs: float) -> float:
    return min(1.0, epochs) * 0.5 * (1 + math.cos(math.pi * done))


RECIPES = {
    "steps": Recipe(1e-4, "constant", nesterov=False, rate=step_rate),
    "cosine": Recipe(5e-4, "reflect", nesterov=True, rate=cosine_rate),
}
RUNS = {
    "resnet20-steps-seed0": Run("resnet20", "steps", 120, 0),
    "resnet20-steps-seed1": Run("resnet20", "steps", 120, 1),
    "resnet20-steps-seed2": Run("resnet20", "steps", 120, 2),
    "resnet20-six-classes": Run("resnet20", "steps", 120, 0, (AIRPLANE, AUTOMOBILE, DEER, HORSE, SHIP, TRUCK)),
}
OTHER_RUNS = {
    "resnet20-cosine-seed0": Run("resnet20", "cosine", 75, 0),
    "densenet-bc-100-12": Run("densenet_bc_100_12", "steps", 100, 0),
}


def load_split(path: Path, classes: tuple[int, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """Images (N, 3, 32, 32) uint8 and labels (N,) of the given classes, renumbered from 0 in their order."""
    with np.load(path) as archive:
        images, labels = archive["images"], archive["labels"]
    kept = np.isin(labels, classes)
    number = np.zeros(10, dtype=np.int64)
    number[list(classes)] = np.arange(len(classes))
    return torch.from_numpy(images[kept]).permute(0, 3, 1, 2).to(device), torch.from_numpy(number[labels[kept]]).to(
        device
    )


def normalise(images: Tensor) -> Tensor:
    mean = torch.tensor(MEAN, device=images.device).view(1, 3, 1, 1)
    std = torch.tensor(STD, device=images.device).view(1, 3, 1, 1)
    out = (images.float() / 255 - mean) / std
    return out.contiguous(memory_format=torch.channels_last)


def augment(padded: Tensor, generator: torch.Generator) -> Tensor:
    """Random 32 × 32 crops of 40 × 40 images (B, 3, 40, 40) and horizontal flips."""
    n, device = len(padded), padded.device
    draw = {"generator": generator, "device": "cpu"}
    top = torch.randint(0, 9, (n, 1), **draw).to(device)
    left = torch.randint(0, 9, (n, 1), **draw).to(device)
    flip = torch.randint(0, 2, (n, 1), **draw).bool().to(device)
    span = torch.arange(32, device=device)
    columns = torch.where(flip, left + 31 - span, left + span)
    index = torch.arange(n, device=device).view(n, 1, 1)
    crops = padded.permute(0, 2, 3, 1)[index, (top + span).unsqueeze(2), columns.unsqueeze(1)]
    return crops.permute(0, 3, 1, 2)


@torch.no_grad()
def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    model.eval()
    correct = sum(
        int((model(normalise(x)).argmax(1) == y).sum())
        for x, y in zip(images.split(500), labels.split(500), strict=True)
    )
    return correct / len(images)


def train(name: str, run: Run, data: Path, out: Path, device: torch.device) -> None:
    """Trains one run, or what is left of it, and writes ``weights.safetensors`` and ``train.log`` into ``out``."""
    weights_path, checkpoint, log = out / "weights.safetensors", out / "checkpoint.pt", out / "train.log"
    if weights_path.exists():
        return
    out.mkdir(parents=True, exist_ok=True)
    recipe = RECIPES[run.recipe]
    torch.manual_seed(run.seed)
    images, labels = load_split(data / "cifar10_train.npz", run.classes, device)
    test_images, test_labels = load_split(data / "cifar10_test.npz", run.classes, device)
    padded = torch.cat([F.pad(x.float(), (4, 4, 4, 4), mode=recipe.border).byte() for x in images.split(5000)])
    padded = padded.contiguous(memory_format=torch.channels_last)

    model = ARCHITECTURES[run.model](len(run.classes)).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.1, momentum=0.9, weight_decay=recipe.weight_decay, nesterov=recipe.nesterov
    )
    steps = len(images) // BATCH
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: recipe.rate(step / (steps * run.epochs), (step + 1) / steps)
    )
    first = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        scheduler.load_state_dict(state["scheduler"])
        first = state["epoch"]
    else:
        recipe_words = (
            f"weight decay {recipe.weight_decay}, border {recipe.border}, Nesterov momentum {recipe.nesterov}"
        )
        log.write_text(f"{name} on {device.type}, torch {torch.__version__}, {run}, {recipe_words}\n")

    for epoch in range(first, run.epochs):
        generator = torch.Generator().manual_seed(run.seed * 100_000 + epoch)
        order = torch.randperm(len(images), generator=generator).to(device)
        started, loss_sum, hits = time.perf_counter(), 0.0, 0
        model.train()
        for chosen in order[: steps * BATCH].split(BATCH):
            x, y = normalise(augment(padded[chosen], generator)), labels[chosen]
            with torch.autocast(device.type, torch.bfloat16):
                logits = model(x)
            loss = F.cross_entropy(logits.float(), y)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            scheduler.step()
            loss_sum += loss.item() * len(y)
            hits += int((logits.argmax(1) == y).sum())
        seconds, seen = time.perf_counter() - started, steps * BATCH
        line = (
            f"epoch {epoch + 1:3d}/{run.epochs}  loss {loss_sum / seen:.4f}  train {100 * hits / seen:.2f} %  "
            f"test {100 * accuracy(model, test_images, test_labels):.2f} %  {seen / seconds:.0f} images/s"
        )
        with log.open("a") as handle:
            handle.write(line + "\n")
        state = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "scheduler": scheduler.state_dict(),
            "epoch": epoch + 1,
        }
        torch.save(state, checkpoint.with_suffix(".tmp"))
        checkpoint.with_suffix(".tmp").replace(checkpoint)

    weights = {key: value.cpu().contiguous() for key, value in model.state_dict().items()}
    save_file(weights, weights_path.with_suffix(".tmp"))
    weights_path.with_suffix(".tmp").replace(weights_path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "runs", nargs="*", metavar="RUN", help=f"of {', '.join(RUNS | OTHER_RUNS)}; default: {', '.join(RUNS)}"
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    unknown = set(args.runs) - (RUNS | OTHER_RUNS).keys()
    if unknown:
        parser.error(f"No run is named {', '.join(sorted(unknown))}. There are: {', '.join(RUNS | OTHER_RUNS)}.")
    torch.set_num_threads(args.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    for name in args.runs or RUNS:
        train(name, (RUNS | OTHER_RUNS)[name], args.data, args.out / name, device)


if __name__ == "__main__":
    main()
