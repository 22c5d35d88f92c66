// The same program in C++.
#include <ddaebm/ddaebm.hpp>

#include <cstdio>

int main() {
    try {
        const ddaebm::model model(ddaebm::config("points"), 1);
        ddaebm::sampler sampler(model);
        ddaebm::scorer scorer(model);
        return scorer.score(sampler.draw(1, 0, 1)).size() == 1 && ddaebm::version_number() > 0 ? 0
                                                                                               : 1;
    } catch (const ddaebm::error &error) {
        std::fprintf(stderr, "%s: %s\n", ddaebm::status_text(error.status()).c_str(), error.what());
        return 1;
    }
}
