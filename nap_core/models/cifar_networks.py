"""The CIFAR families: ResNet-20 … 110 and DenseNet-BC, with the state-dict names of the common checkpoints.

Both networks end in an explicit ``penultimate`` module (no parameters), whose output is the post-ReLU feature map
before global pooling, and a linear head on its spatial mean. That is what NAP reads.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class _ShortcutA(nn.Module):
    """Parameter-free shortcut: subsample by two and pad the new channels with zeros (ResNet paper, option A)."""

    def __init__(self, padding: int) -> None:
        super().__init__()
        self.padding = padding

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.padding, self.padding))


class _BasicBlock(nn.Module):
    def __init__(self, in_planes: int, planes: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_planes, planes, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        changes = stride != 1 or in_planes != planes
        self.shortcut = _ShortcutA((planes - in_planes) // 2) if changes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return F.relu(out + self.shortcut(x))


class CifarResNet(nn.Module):
    """ResNet for 32 × 32 images (He et al. 2016, "Deep Residual Learning for Image Recognition", section 4.2).

    ``depth`` is 6n + 2 (20, 32, 44, 56, 110). The penultimate map is 64 × 8 × 8. Raises ValueError for other depths.
    """

    def __init__(self, depth: int = 20, num_classes: int = 10) -> None:
        super().__init__()
        if depth < 8 or (depth - 2) % 6:
            raise ValueError(f"A CIFAR ResNet has 6n + 2 layers (20, 32, 44, 56, 110 …), not {depth}.")
        blocks = (depth - 2) // 6
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = self._stage(16, 16, blocks, stride=1)
        self.layer2 = self._stage(16, 32, blocks, stride=2)
        self.layer3 = self._stage(32, 64, blocks, stride=2)
        self.penultimate = nn.Identity()
        self.linear = nn.Linear(64, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)

    @staticmethod
    def _stage(in_planes: int, planes: int, blocks: int, stride: int) -> nn.Sequential:
        first = _BasicBlock(in_planes, planes, stride)
        return nn.Sequential(first, *(_BasicBlock(planes, planes, 1) for _ in range(blocks - 1)))

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, 3, 32, 32), normalised → logits (B, num_classes)."""
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.penultimate(self.layer3(self.layer2(self.layer1(x))))
        logits: Tensor = self.linear(x.mean(dim=(2, 3)))
        return logits


class _BottleneckLayer(nn.Module):
    def __init__(self, in_planes: int, growth: int) -> None:
        super().__init__()
        inner = 4 * growth
        self.bn1 = nn.BatchNorm2d(in_planes)
        self.conv1 = nn.Conv2d(in_planes, inner, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv1(F.relu(self.bn1(x)))
        out = self.conv2(F.relu(self.bn2(out)))
        return torch.cat([x, out], 1)


class _DenseBlock(nn.Module):
    def __init__(self, in_planes: int, layers: int, growth: int) -> None:
        super().__init__()
        self.layer = nn.Sequential(*(_BottleneckLayer(in_planes + i * growth, growth) for i in range(layers)))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layer(x)
        return out


class _Transition(nn.Module):
    def __init__(self, in_planes: int, out_planes: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_planes)
        self.conv1 = nn.Conv2d(in_planes, out_planes, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(self.conv1(F.relu(self.bn1(x))), 2)


class CifarDenseNet(nn.Module):
    """DenseNet-BC for 32 × 32 images (Huang et al. 2017, "Densely Connected Convolutional Networks").

    Bottlenecks of 4 × growth and a reduction of 0.5 at each transition. ``depth`` is 6n + 4. Depth 100 with growth 12
    is the network that the NAP, DICE and ASH papers evaluate on CIFAR; its penultimate map is 342 × 8 × 8. Raises
    ValueError for other depths.
    """

    def __init__(self, depth: int = 100, growth: int = 12, num_classes: int = 10) -> None:
        super().__init__()
        if depth < 10 or (depth - 4) % 6:
            raise ValueError(f"A CIFAR DenseNet-BC has 6n + 4 layers (40, 100, 190 …), not {depth}.")
        layers = (depth - 4) // 6
        planes = 2 * growth
        self.conv1 = nn.Conv2d(3, planes, 3, padding=1, bias=False)
        self.block1 = _DenseBlock(planes, layers, growth)
        planes += layers * growth
        self.trans1 = _Transition(planes, math.floor(planes * 0.5))
        planes = math.floor(planes * 0.5)
        self.block2 = _DenseBlock(planes, layers, growth)
        planes += layers * growth
        self.trans2 = _Transition(planes, math.floor(planes * 0.5))
        planes = math.floor(planes * 0.5)
        self.block3 = _DenseBlock(planes, layers, growth)
        planes += layers * growth
        self.bn1 = nn.BatchNorm2d(planes)
        self.penultimate = nn.ReLU()
        self.fc = nn.Linear(planes, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, 3, 32, 32), normalised → logits (B, num_classes)."""
        x = self.trans1(self.block1(self.conv1(x)))
        x = self.trans2(self.block2(x))
        x = self.penultimate(self.bn1(self.block3(x)))
        logits: Tensor = self.fc(x.mean(dim=(2, 3)))
        return logits
