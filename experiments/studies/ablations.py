"""Which parts of the objective pay? Each configuration leaves one out, or puts another in its place.

Two bases: the published objective (preset `toy` with a schedule that ends in noise) and that of preset `points`.
"""

from studies.runner import Run

SEEDS = 5
COLUMNS = [("sw1_floors", "W1, floors", "%.2f"), ("modes", "modes", "%.1f"), ("near_modes", "near modes", "%.3f"),
           ("below_1", "below 1%", "%.3f"), ("tv", "density, TV", "%.3f"), ("seconds", "training, s", "%.0f")]
PICTURE = ("sw1_floors", True)

STEPS = {"points": 6000, "toy": 20000}  # about the same time
PUBLISHED = {"diffusion.beta_min": 0.1, "diffusion.beta_max": 20}
# Without the contrasts and penalties that have no meaning for a discriminator.
LOGISTIC = {"objective.kind": "logistic", "training.calibrate": "false", "objective.penalty": "zero", "objective.noise_contrast": 0,
            "objective.energy_score": 0, "form.energy": "scalar"}
CHANGES = {
    "full": {},
    "no latent variable": {"network.latent": "false"},
    "no variational posterior": {"objective.latent_weight": 0},
    "reverse divergence alone": {"objective.divergence": "reverse_kl"},
    "forward divergence alone": {"objective.divergence": "forward_kl"},
    "no gradient penalty": {"objective.gamma": 0},
    "reconstruction by posterior z": {"objective.reconstruction": "mse_posterior"},
    "reconstruction by prior z": {"objective.reconstruction": "mse_prior"},
    "energy score alone": {"objective.divergence": "none", "objective.energy_score": 10},
    "denoising diffusion gan": {**LOGISTIC, "objective.gamma": 0.05},
}
# Of `points` alone, whose objective has the score.
NO_SCORE = {"no energy score": {"objective.energy_score": 0}}


def runs(quick):
    sets = ["25gaussians"] if quick else ["25gaussians", "pinwheel", "rings"]
    for data in sets:
        for base, preset, settings in [("published", "toy", PUBLISHED), ("points", "points", {})]:
            changes = {**CHANGES, **(NO_SCORE if preset == "points" else {})}
            for name, change in changes.items():
                yield Run(data, "%s: %s" % (base, name), preset,
                          {"training.calibrate": "true", **settings, "training.steps": 30 if quick else STEPS[preset], **change}, count=500 if quick else 10000)
