"""Does the diffusion process help? T from 1, an adversarial energy-based model without diffusion, to 16.

All runs of a preset have the same networks and steps, and a step costs the same for every T. `points` is the preset for the plane.
`published` is the preset `toy`, the published set-up, whose noise ends far from N(0, I), and `published, to noise` the same with a
schedule that ends in it.
"""

from studies.runner import Run

SEEDS = 10
COLUMNS = [("sw1_floors", "W1, floors", "%.2f"), ("below_1", "below 1%", "%.3f"), ("tv", "density, TV", "%.3f"),
           ("samples_per_second", "samples/s", "%.0f"), ("seconds", "training, s", "%.0f")]
PICTURE = ("sw1_floors", True)

STEPS = {"points": 6000, "toy": 20000}  # about the same time


def runs(quick):
    sets = ["25gaussians"] if quick else ["25gaussians", "rings"]
    kinds = {"points": ("points", {}), "published": ("toy", {"training.calibrate": "true"}),
             "published, to noise": ("toy", {"training.calibrate": "true", "diffusion.beta_min": 0.1, "diffusion.beta_max": 20})}
    for data in sets:
        for name, (preset, settings) in kinds.items():
            for timesteps in [1, 4] if quick else [1, 2, 4, 8, 16]:
                yield Run(data, "%s T%d" % (name, timesteps), preset, {**settings, "diffusion.timesteps": timesteps,
                          "training.steps": 30 if quick else STEPS[preset]}, count=500 if quick else 10000, x=float(timesteps))
