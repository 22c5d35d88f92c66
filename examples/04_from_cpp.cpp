// From C++: owning pointers, exceptions, samples and their scores: 04_from_cpp [MODEL], made by 01_train_and_sample.
#include <ddaebm/ddaebm.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <vector>

namespace {

struct Free {
    void operator()(ddaebm_model *model) const { ddaebm_model_free(model); }
    void operator()(ddaebm_sampler *sampler) const { ddaebm_sampler_free(sampler); }
    void operator()(ddaebm_scorer *scorer) const { ddaebm_scorer_free(scorer); }
};

template <typename T> using Owned = std::unique_ptr<T, Free>;

void check(ddaebm_status status) {
    if (status != DDAEBM_OK)
        throw std::runtime_error(ddaebm_error_message());
}

// make(&handle, arguments...) as an owned handle.
template <typename T, typename... Parameters, typename... Arguments>
Owned<T> make(ddaebm_status (*create)(T **, Parameters...), Arguments... arguments) {
    T *handle = nullptr;
    check(create(&handle, arguments...));
    return Owned<T>(handle);
}

void run(const char *path) {
    const std::size_t count = 1000;
    const auto model = make(ddaebm_model_load, nullptr, path);
    const auto sampler = make(ddaebm_sampler_create, model.get());
    const auto scorer = make(ddaebm_scorer_create, model.get());

    std::vector<float> rows(count * ddaebm_model_width(model.get())), scores(count);
    check(ddaebm_sampler_draw(sampler.get(), 1, 0, count, rows.data()));
    check(ddaebm_scorer_score(scorer.get(), rows.data(), count, 0, scores.data()));

    double sum = 0;
    for (float score : scores)
        sum += static_cast<double>(score);
    std::printf("libddaebm %s: %zu samples, mean score %.3f\n", ddaebm_version_text(), count, sum / static_cast<double>(count));
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
