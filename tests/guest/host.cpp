// The same program in C++, which a host may have compiled without exceptions.
#include <ddaebm/ddaebm.hpp>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

static void print_bits(const std::vector<float> &numbers) {
    for (float number : numbers) {
        std::uint32_t bits;
        std::memcpy(&bits, &number, sizeof bits);
        std::printf("%08x\n", static_cast<unsigned>(bits));
    }
}

// Whether what is no number is found out. By the C function, whose status every host sees.
static bool finds_nan(ddaebm::scorer &scorer) {
    const std::uint32_t bits[2] = {0x7fc00000u, 0};
    float row[2], score;
    std::memcpy(row, bits, sizeof row);
    return ddaebm_scorer_score(scorer.get(), DDAEBM_SCORE_ENERGY, row, 1, 0, &score) ==
           DDAEBM_NOT_FINITE;
}

int main() {
    ddaebm::config config("points");
    config.set_integer("training.batch", 64);
    const ddaebm::dataset dataset = ddaebm::dataset::named("8gaussians", 1);
    ddaebm::trainer trainer(ddaebm::model(config, 1), dataset, 1);
    trainer.run_until(3);
    const ddaebm::model model = trainer.snapshot();
    ddaebm::sampler sampler(model);
    ddaebm::scorer scorer(model);

    const std::vector<float> rows = sampler.draw(1, 0, 32);
    print_bits(rows);
    print_bits(scorer.score(rows));
    return finds_nan(scorer) ? 0 : 1;
}
