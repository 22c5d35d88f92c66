"""Which parts of the objective pay? Each configuration leaves one out, or puts another in its place.

Three bases: the published objective (preset `toy` with a schedule that ends in noise), that of preset `points`, and on images that of
`fashion-small`.
"""

from studies.runner import Run

SEEDS = 5
COLUMNS = [("sw1_floors", "W1, floors", "%.2f"), ("modes", "modes", "%.1f"), ("near_modes", "near modes", "%.3f"),
           ("below_1", "below 1%", "%.3f"), ("tv", "density, TV", "%.3f"), ("frechet", "Fréchet distance", "%.1f"),
           ("precision", "precision", "%.3f"), ("recall", "recall", "%.3f"), ("seconds", "training, s", "%.0f")]
PICTURE = ("sw1_floors", True)

STEPS = {"points": 6000, "toy": 20000, "fashion-small": 6000}  # the first two take about the same time; the last half an hour of a core
IMAGE_SEEDS = 3
QUICK_IMAGES = {"training.steps": 2, "diffusion.timesteps": 2, "energy.channels": 8, "generator.channels": 8}
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
# Of the presets whose objective has the score.
NO_SCORE = {"no energy score": {"objective.energy_score": 0}}


def changes_of(preset):
    changes = dict(CHANGES)
    if preset == "toy":
        return changes
    changes.update(NO_SCORE)
    if preset == "fashion-small":  # the score keeps the weight that it has
        changes["energy score alone"] = {"objective.divergence": "none"}
    return changes


def runs(quick):
    sets = ["25gaussians"] if quick else ["25gaussians", "pinwheel", "rings"]
    for data in sets:
        for base, preset, settings in [("published", "toy", PUBLISHED), ("points", "points", {})]:
            for name, change in changes_of(preset).items():
                yield Run(data, "%s: %s" % (base, name), preset,
                          {"training.calibrate": "true", **settings, "training.steps": 30 if quick else STEPS[preset], **change},
                          count=500 if quick else 10000)
    for name, change in changes_of("fashion-small").items():
        if not quick or name == "full":
            yield Run(lambda folder, seed: ("fashion-mnist", "fashion-mnist-test"), name, "fashion-small",
                      {**(QUICK_IMAGES if quick else {"training.steps": STEPS["fashion-small"]}), **change}, count=200 if quick else 5000,
                      set_name="fashion-mnist", seeds=IMAGE_SEEDS)
