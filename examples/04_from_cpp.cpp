// From C++: samples of a model and their scores: 04_from_cpp [MODEL], made by 01_train_and_sample.
#include <ddaebm/ddaebm.hpp>

#include <cstdio>
#include <exception>
#include <vector>

namespace {

void run(const char *path) {
    const std::size_t count = 1000;
    const auto model = ddaebm::model::load(path);
    ddaebm::sampler sampler(model);
    ddaebm::scorer scorer(model);

    const std::vector<float> rows = sampler.draw(1, 0, count);
    const std::vector<float> scores = scorer.score(rows);

    double sum = 0;
    for (float score : scores)
        sum += static_cast<double>(score);
    std::printf("libddaebm %s: %zu samples, mean score %.3f\n", ddaebm::version_text().c_str(),
                count, sum / static_cast<double>(count));
}

} // namespace

int main(int argc, char **argv) {
    try {
        run(argc > 1 ? argv[1] : "points.safetensors");
        return 0;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
