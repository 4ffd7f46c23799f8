#!/usr/bin/env python3
"""Train a bundled CIFAR-10 network from scratch, resumably, and write its weights and its log.

    python assets/build/train_cifar10.py --data DIR --out DIR [--model resnet20] [--epochs 75]

DIR of ``--data`` holds ``cifar10_train.npz`` and ``cifar10_test.npz``, each with ``images`` (N, 32, 32, 3) uint8 and
``labels`` (N,). The recipe is the standard one: SGD with Nesterov momentum 0.9, weight decay 5e-4, batch 128, learning
rate 0.1 with one epoch of warm-up and a cosine to zero, random crops from 4 pixels of reflected border and horizontal
flips. The last epoch's weights are written, not the best on the test set. A second start goes on after the last
finished epoch: every epoch draws from a generator seeded with (seed, epoch).
"""

import argparse
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from nap_core.models.cifar import CifarDenseNet, CifarResNet

ARCHITECTURES = {
    "resnet20": lambda: CifarResNet(20),
    "densenet_bc_100_12": lambda: CifarDenseNet(100, 12),
}
MEAN = (0.4914, 0.4822, 0.4465)
STD = (0.2023, 0.1994, 0.2010)


def load_split(path: Path, device: torch.device) -> tuple[Tensor, Tensor]:
    with np.load(path) as archive:
        images = torch.from_numpy(archive["images"]).permute(0, 3, 1, 2).to(device)
        return images, torch.from_numpy(archive["labels"]).long().to(device)


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", choices=sorted(ARCHITECTURES), default="resnet20")
    parser.add_argument("--epochs", type=int, default=75)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--compile", action="store_true", help="compile the network (faster, needs a C compiler)")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    args.out.mkdir(parents=True, exist_ok=True)
    checkpoint, log = args.out / "checkpoint.pt", args.out / "train.log"

    images, labels = load_split(args.data / "cifar10_train.npz", device)
    test_images, test_labels = load_split(args.data / "cifar10_test.npz", device)
    padded = torch.cat([F.pad(x.float(), (4, 4, 4, 4), mode="reflect").byte() for x in images.split(5000)])
    padded = padded.contiguous(memory_format=torch.channels_last)

    model = ARCHITECTURES[args.model]().to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, weight_decay=5e-4, nesterov=True)
    steps = len(images) // args.batch

    def rate(step: int) -> float:
        done = step / (steps * args.epochs)
        return min(1.0, (step + 1) / steps) * 0.5 * (1 + math.cos(math.pi * done))

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    first = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        scheduler.load_state_dict(state["scheduler"])
        first = state["epoch"]
    else:
        recipe = {name: value for name, value in vars(args).items() if not isinstance(value, Path)}
        log.write_text(f"{args.model} on {device.type}, torch {torch.__version__}, {recipe}\n")
    train = torch.compile(model) if args.compile else model

    for epoch in range(first, args.epochs):
        generator = torch.Generator().manual_seed(args.seed * 100_000 + epoch)
        order = torch.randperm(len(images), generator=generator).to(device)
        started, loss_sum, hits = time.perf_counter(), 0.0, 0
        model.train()
        for chosen in order[: steps * args.batch].split(args.batch):
            x, y = normalise(augment(padded[chosen], generator)), labels[chosen]
            with torch.autocast("cuda", torch.bfloat16, enabled=device.type == "cuda"):
                logits = train(x)
            loss = F.cross_entropy(logits.float(), y)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            scheduler.step()
            loss_sum += loss.item() * len(y)
            hits += int((logits.argmax(1) == y).sum())
        seconds, seen = time.perf_counter() - started, steps * args.batch
        line = (
            f"epoch {epoch + 1:3d}/{args.epochs}  loss {loss_sum / seen:.4f}  train {100 * hits / seen:.2f} %  "
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

    weights = {name: value.cpu().contiguous() for name, value in model.state_dict().items()}
    save_file(weights, args.out / "weights.safetensors")


if __name__ == "__main__":
    main()
