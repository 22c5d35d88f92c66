"""A coupling flow of monotonic rational-quadratic splines (Durkan et al., NeurIPS 2019)."""

import math

import torch
from torch import nn
from torch.nn import functional

BINS, BOUND, LEAST = 8, 4.0, 1e-3


def _knots(raw):
    """Widths or heights of the bins, above LEAST each, and the knots between -BOUND and BOUND."""
    sizes = LEAST + (1 - LEAST * BINS) * functional.softmax(raw, -1)
    knots = functional.pad(torch.cumsum(sizes, -1), (1, 0)) * 2 * BOUND - BOUND
    return knots


def _spline(x, raw):
    """Maps x by a spline, the identity outside -BOUND to BOUND. Returns y and log dy/dx."""
    xs, ys = _knots(raw[..., :BINS]), _knots(raw[..., BINS:2 * BINS])
    slopes = functional.pad(LEAST + functional.softplus(raw[..., 2 * BINS:] + math.log(math.e - 1)), (1, 1), value=1.0)
    inside = (x > -BOUND) & (x < BOUND)
    at = x.clamp(-BOUND + 1e-6, BOUND - 1e-6).unsqueeze(-1)

    k = (torch.searchsorted(xs.contiguous(), at.contiguous(), right=True) - 1).clamp(0, BINS - 1)
    pick = lambda values, index: torch.gather(values, -1, index).squeeze(-1)
    x0, x1, y0, y1 = pick(xs, k), pick(xs, k + 1), pick(ys, k), pick(ys, k + 1)
    d0, d1 = pick(slopes, k), pick(slopes, k + 1)
    u, s = (at.squeeze(-1) - x0) / (x1 - x0), (y1 - y0) / (x1 - x0)

    below = s + (d1 + d0 - 2 * s) * u * (1 - u)
    y = y0 + (y1 - y0) * (s * u**2 + d0 * u * (1 - u)) / below
    slope = s**2 * (d1 * u**2 + 2 * s * u * (1 - u) + d0 * (1 - u)**2) / below**2
    return torch.where(inside, y, x), torch.where(inside, torch.log(slope), torch.zeros_like(x))


class Coupling(nn.Module):
    """Transforms half of the columns by splines that the other half chooses."""

    def __init__(self, width, hidden, odd):
        super().__init__()
        mask = torch.arange(width) % 2 == odd
        self.register_buffer("kept", torch.nonzero(mask).squeeze(-1))
        self.register_buffer("moved", torch.nonzero(~mask).squeeze(-1))
        last = nn.Linear(hidden, len(self.moved) * (3 * BINS - 1))
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.network = nn.Sequential(nn.Linear(max(1, len(self.kept)), hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), last)

    def forward(self, x):
        seen = x[:, self.kept] if len(self.kept) else torch.zeros(len(x), 1)
        raw = self.network(seen).view(len(x), len(self.moved), 3 * BINS - 1)
        y, logs = _spline(x[:, self.moved], raw)
        out = x.clone()
        out[:, self.moved] = y
        return out, logs.sum(1)


class Flow(nn.Module):
    def __init__(self, width, hidden, layers=6):
        super().__init__()
        self.layers = nn.ModuleList(Coupling(width, hidden, i % 2) for i in range(layers))

    def forward(self, x):
        total = torch.zeros(len(x))
        for layer in self.layers:
            x, logs = layer(x)
            total = total + logs
        return total - 0.5 * (x**2).sum(1) - 0.5 * x.shape[1] * math.log(2 * math.pi)


def _count(module):
    return sum(p.numel() for p in module.parameters())


def fit(train, held_out, parameters, seed, steps=4000):
    """Trains a flow of about as many parameters; keeps the weights that are best on held-out rows."""
    torch.manual_seed(seed)
    hidden = 8
    while _count(Flow(train.shape[1], hidden + 8)) <= parameters:
        hidden += 8
    flow = Flow(train.shape[1], hidden)
    x, other = torch.tensor(train, dtype=torch.float32), torch.tensor(held_out, dtype=torch.float32)
    adam = torch.optim.Adam(flow.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    best, kept = -math.inf, None

    for step in range(steps):
        loss = -flow(x[torch.randint(0, len(x), (min(192, len(x)),))]).mean()
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(flow.parameters(), 5.0)
        adam.step()
        schedule.step()
        if step % 100 == 99:
            with torch.no_grad():
                value = flow(other).mean().item()
            if value > best:
                best, kept = value, {name: tensor.clone() for name, tensor in flow.state_dict().items()}
    flow.load_state_dict(kept)

    def log_density(rows):
        with torch.no_grad():
            return flow(torch.tensor(rows, dtype=torch.float32)).double().numpy()
    return log_density
