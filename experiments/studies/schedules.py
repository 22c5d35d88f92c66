"""Which noise schedule, at an equal number of timesteps?

Preset `points` with four and with eight timesteps from the same noise to the same noise; only where the timesteps between lie differs.
Where moved timesteps ended is in the column `levels` of results.csv.
"""

from studies.runner import Run

SEEDS = 3
COLUMNS = [("sw1_floors", "W1, floors", "%.2f"), ("below_1", "below 1%", "%.3f"), ("tv", "density, TV", "%.3f")]
PICTURE = ("sw1_floors", True)

LOW, HIGH = 0.018, 12.0
SCHEDULES = {
    # beta_min and beta_max so that the first variance is LOW^2 and the last 1 - 1 / (1 + HIGH^2), as near as vp can
    "vp": {"diffusion.schedule": "vp", "diffusion.beta_min": 0.324, "diffusion.beta_max": 9.63},
    "geometric": {"diffusion.schedule": "geometric", "diffusion.beta_min": LOW**2 / (1 + LOW**2),
                  "diffusion.beta_max": HIGH**2 / (1 + HIGH**2)},
    "karras, rho 3.5": {"diffusion.schedule": "karras", "diffusion.rho": 3.5},
    "karras, rho 7": {"diffusion.schedule": "karras", "diffusion.rho": 7},
    "cosine": {"diffusion.schedule": "cosine"},
    "log snr": {"diffusion.schedule": "log_snr"},
    # Three that move, each from a schedule that is not the best.
    "moved by divergence": {"diffusion.schedule": "log_snr", "diffusion.adapt": "divergence"},
    "moved by reconstruction": {"diffusion.schedule": "log_snr", "diffusion.adapt": "reconstruction"},
    "moved by energy gap": {"diffusion.schedule": "log_snr", "diffusion.adapt": "energy_gap"},
}


def runs(quick):
    sets = ["25gaussians"] if quick else ["25gaussians", "rings", "pinwheel", "2spirals", "checkerboard"]
    steps = 30 if quick else 6000
    for data in sets:
        for timesteps in [4] if quick else [4, 8]:
            for name, settings in SCHEDULES.items():
                yield Run(data, "%s, T%d" % (name, timesteps), "points",
                          {"diffusion.timesteps": timesteps, "diffusion.sigma_min": LOW, "diffusion.sigma_max": HIGH,
                           "training.steps": steps, **settings}, count=500 if quick else 10000)
