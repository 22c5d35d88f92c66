// ddaebm.hpp: every class does what its C functions do, failures and callbacks' exceptions come out
// as exceptions, handles move.
#include <ddaebm/ddaebm.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>
#if __cplusplus >= 202002L
#include <span>
#endif

namespace {

int failures = 0;

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                   \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

// Whether a call throws ddaebm::error with that status and a text that has the words.
template <typename F> bool fails(ddaebm_status status, const char *words, F call) {
    try {
        call();
    } catch (const ddaebm::error &error) {
        return error.status() == status &&
               std::string(error.what()).find(words) != std::string::npos;
    }
    return false;
}

struct mine {
    int number;
};

// Whether a call lets an exception of the caller's own through.
template <typename F> bool throws_mine(F call) {
    try {
        call();
    } catch (const mine &exception) {
        return exception.number == 7;
    }
    return false;
}

ddaebm::config small() {
    ddaebm::config config("toy");
    config.set("energy.hidden_layers", "[8, 6]")
        .set_integer("training.batch", 16)
        .set_integer("training.steps", 4);
    return config;
}

void test_config() {
    ddaebm::config config = small();
    EXPECT(config.integer("training.batch") == 16);
    EXPECT(config.text("energy.hidden_layers") == "[8, 6]");
    config.set_real("objective.gamma", 0.5).parse("{\"training.batch\": 4}");
    ddaebm::config copy{ddaebm::config_view(config)};
    EXPECT(copy.real("objective.gamma") == 0.5 && copy.integer("training.batch") == 4);
    EXPECT(copy.json() == config.json() && copy.json()[0] == '{');
    EXPECT(ddaebm::config::keys().size() > 20 && ddaebm::config::presets()[0] == "toy");
    EXPECT(fails(DDAEBM_NOT_FOUND, "no.such.key", [&] { config.set("no.such.key", "1"); }));
    EXPECT(fails(DDAEBM_NOT_FOUND, "nowhere.json", [&] { config.load("nowhere.json"); }));
    ddaebm::config moved = std::move(copy);
    EXPECT(copy.get() == nullptr && moved.integer("training.batch") == 4);
    static_assert(!std::is_copy_constructible<ddaebm::config>::value, "a handle has one owner");
    static_assert(std::is_nothrow_move_constructible<ddaebm::model>::value, "handles move");
}

void test_dataset() {
    const std::array<float, 6> numbers = {{0, 1, 2, 3, 4, 5}};
    const auto rows = ddaebm::dataset::from_rows(numbers, 2);
    EXPECT(rows.rows() == 3 && rows.width() == 2 && rows.image_shape().height == 0);
    EXPECT(rows.read(1, 2) == std::vector<float>({2, 3, 4, 5}));
    EXPECT(fails(DDAEBM_MISMATCH, "6 numbers", [&] { ddaebm::dataset::from_rows(numbers, 4); }));
    EXPECT(fails(DDAEBM_OUT_OF_RANGE, "", [&] { rows.read(3, 1); }));

    const std::vector<double> fine = {1e9, 1e9 + 0.5};
    std::vector<double> back(2);
    ddaebm::dataset::from_rows(fine, 1).read(0, ddaebm::span<double>(back));
    EXPECT(back == fine && rows.column_name(0).empty());
    ddaebm::write_npy("fine.npy", fine, {2, 1});
    ddaebm_read_options options = DDAEBM_READ_OPTIONS_INIT;
    EXPECT(ddaebm::dataset::open("fine.npy", options).rows() == 2);
    options.columns = "x";
    EXPECT(fails(DDAEBM_NOT_FOUND, "'x'", [&] { ddaebm::dataset::open("fine.npy", options); }));
    EXPECT(std::remove("fine.npy") == 0);
    ddaebm_row_options as_csv = DDAEBM_ROW_OPTIONS_INIT;
    as_csv.format = DDAEBM_ROWS_CSV;
    as_csv.wide = 1;
    {
        ddaebm::row_writer written("fine.csv", as_csv, {2, 1});
        written.append(ddaebm::span<const double>(fine));
        written.finish();
    }
    ddaebm::dataset::open("fine.csv").read(0, ddaebm::span<double>(back));
    EXPECT(back == fine);
    EXPECT(std::remove("fine.csv") == 0);
    EXPECT(fails(DDAEBM_OUT_OF_RANGE, "shape[0]", [&] {
        ddaebm::row_writer("fine.csv", as_csv, {0, 1});
    }));

    const std::uint8_t bytes[4] = {0, 255, 0, 255};
    const auto images = ddaebm::dataset::from_images(bytes, {2, 2, 1});
    EXPECT(images.image_shape().width == 2 &&
           images.read(0, 1) == std::vector<float>({-1, 1, -1, 1}));
    const float reals[4] = {-1, 1, -1, 1};
    EXPECT(ddaebm::dataset::from_images(reals, {1, 2, 1}).rows() == 2);
    EXPECT(ddaebm::dataset::named("moons", 1).width() == 2 && !ddaebm::dataset::names().empty());
    EXPECT(fails(DDAEBM_NOT_FOUND, "nowhere", [] { ddaebm::dataset::open("nowhere.npy"); }));

    auto source = ddaebm::dataset::from_source(
        [](std::uint64_t first, ddaebm::span<float> out) {
            if (first == 99)
                throw mine{7};
            for (float &value : out)
                value = static_cast<float>(first);
        },
        3, 100);
    const ddaebm::dataset moved = std::move(source);
    EXPECT(moved.read(5, 1) == std::vector<float>({5, 5, 5}));
    EXPECT(throws_mine([&] { moved.read(99, 1); }));
    EXPECT(moved.read(6, 1)[0] == 6); // nothing is left of the exception
}

void test_model() {
    ddaebm::context context;
    context.set_threads(1);
    EXPECT(context.threads() == 1);
    context.set_limit(DDAEBM_LIMIT_TENSORS, 99);
    context.set_deterministic(true);
    context.set_accept_not_finite(true);
    EXPECT(context.limit(DDAEBM_LIMIT_TENSORS) == 99 && context.deterministic() &&
           context.accept_not_finite());
    context.set_limit(DDAEBM_LIMIT_TENSORS, 16384);
    ddaebm::model model(small(), 3, context.get());
    EXPECT(model.width() == 2 && model.timesteps() == 4 &&
           model.config().integer("training.batch") == 16);
    EXPECT(model.image_shape().channels == 0);
    model.set_temperature(0.25);
    const auto again = ddaebm::model::load_memory(model.save_memory());
    EXPECT(again.temperature() == 0.25);

    const auto parameters = model.parameters();
    EXPECT(parameters.size() == model.parameter_count() && !parameters.empty());
    const ddaebm_parameter_info &first = parameters[0];
    std::vector<float> values(first.elements, 0.5F), back(first.elements);
    model.set_parameter(first.name, values);
    model.parameter(first.name, back);
    EXPECT(values == back);
    EXPECT(fails(DDAEBM_MISMATCH, "", [&] {
        model.set_parameter(first.name, ddaebm::span<const float>(values.data(), 1));
    }));
    EXPECT(fails(DDAEBM_NOT_FOUND, "nowhere", [] { ddaebm::model::load("nowhere.safetensors"); }));
    EXPECT(fails(DDAEBM_INVALID_ARGUMENT, "",
                 [] { ddaebm::context(ddaebm_allocator DDAEBM_ALLOCATOR_INIT); }));
}

void test_refine() {
    ddaebm::model model(small(), 3);
    ddaebm::sampler sampler(model);
    const auto plain = sampler.draw(1, 0, 8);
    EXPECT(fails(DDAEBM_STATE, "not refined", [&] { sampler.acceptance(); }));
    EXPECT(fails(DDAEBM_OUT_OF_RANGE, "timesteps", [&] { sampler.set_refinement(3, 9); }));
    sampler.set_refinement(5);
    const auto refined = sampler.draw(1, 0, 8);
    EXPECT(refined != plain && sampler.acceptance() >= 0 && sampler.acceptance() <= 1);

    int asked = 0;
    sampler.set_guidance([&](const ddaebm_guidance_batch &batch, ddaebm::span<double> log_densities,
                             ddaebm::span<double> gradients) {
        asked++;
        EXPECT(batch.width == 2 && batch.timestep == 0 && log_densities.size() == batch.count &&
               gradients.size() == 2 * batch.count);
        for (std::size_t i = 0; i < batch.count; i++) {
            log_densities[i] = 5 * batch.rows[2 * i];
            gradients[2 * i] = 5;
        }
    });
    ddaebm::sampler moved = std::move(sampler);
    EXPECT(moved.draw(1, 0, 8) != refined && asked == 6);
    moved.set_guidance([](const ddaebm_guidance_batch &, ddaebm::span<double>,
                          ddaebm::span<double>) { throw mine{7}; });
    EXPECT(throws_mine([&] { moved.draw(1, 0, 8); }));
    moved.set_guidance(nullptr);
    EXPECT(moved.draw(1, 0, 8) == refined);
    moved.set_refinement(0);
    EXPECT(moved.draw(1, 0, 8) == plain);
}

void test_sample_and_score() {
    ddaebm::model model(small(), 3);
    ddaebm::sampler sampler(model);
    const auto rows = sampler.draw(1, 0, 8);
    std::array<float, 4> two = {{0, 0, 0, 0}};
    sampler.draw(1, 2, two);
    for (std::size_t i = 0; i < two.size(); i++)
        EXPECT(std::fabs(two[i] - rows[4 + i]) < 1e-4F);
    std::vector<float> steps(5 * 2);
    sampler.draw_steps(1, 0, steps);
    EXPECT(std::fabs(steps[8] - rows[0]) < 1e-4F);

    std::vector<double> fine(16), steep(16);
    std::vector<float> fine_scores(8);
    sampler.draw(1, 0, ddaebm::span<double>(fine));
    EXPECT(std::fabs(static_cast<float>(fine[3]) - rows[3]) < 1e-6F);
    ddaebm::scorer fine_scorer(model);
    fine_scorer.score(DDAEBM_SCORE_ENERGY, fine, 0, fine_scores);
    fine_scorer.gradient(fine, 0, ddaebm::span<double>(steep));
    EXPECT(std::isfinite(fine_scores[7]) && steep[0] != 0);
    const auto table = ddaebm::dataset::from_rows(fine, 2);
    model.check_columns(table);
    EXPECT(model.column_name(0).empty());

    int calls = 0;
    sampler.set_progress([&](std::uint64_t, std::uint64_t total) {
        calls++;
        return total < 2000;
    });
    ddaebm::sampler moved = std::move(sampler);
    EXPECT(fails(DDAEBM_CANCELLED, "", [&] { moved.draw(1, 0, 2000); }) && calls > 0);
    moved.set_progress([](std::uint64_t, std::uint64_t) -> bool { throw mine{7}; });
    EXPECT(throws_mine([&] { moved.draw(1, 0, 2000); }));
    moved.set_progress(nullptr);
    EXPECT(moved.draw(1, 0, 8) == rows);

    ddaebm::scorer scorer(model);
    const auto scores = scorer.score(rows);
    std::vector<float> same(8), slope(16);
    scorer.score(DDAEBM_SCORE_ENERGY, rows, 0, same);
    EXPECT(scores == same);
    scorer.gradient(rows, 1, slope);
    EXPECT(std::isfinite(slope[15]));
    EXPECT(fails(DDAEBM_OUT_OF_RANGE, "", [&] { scorer.score(rows, 4); }));
    EXPECT(fails(DDAEBM_MISMATCH, "", [&] {
        scorer.score(DDAEBM_SCORE_ENERGY, rows, 0, ddaebm::span<float>(same.data(), 7));
    }));
    EXPECT(ddaebm::scorer::score_names()[0] == "energy");
    std::vector<std::size_t> columns(16);
    std::vector<float> gains(16), restored(16);
    std::vector<double> restored_finely(16);
    scorer.explain(rows, 0, 2, columns, gains, restored);
    EXPECT(columns[0] + columns[1] == 1 && gains[0] >= 0 && std::isfinite(restored[15]));
    scorer.explain(fine, 0, 2, columns, gains, restored_finely);
    scorer.explain(rows, 0, 2, columns, gains, ddaebm::span<float>(nullptr, 0));
    EXPECT(std::isfinite(restored_finely[15]));
    EXPECT(
        fails(DDAEBM_MISMATCH, "", [&] { scorer.explain(rows, 0, 1, columns, gains, restored); }));
    scorer.set_progress([](std::uint64_t, std::uint64_t) { return false; });
    EXPECT(fails(DDAEBM_CANCELLED, "", [&] { scorer.score(rows); }));
    scorer.set_progress(nullptr);
    model.fit_typicality(ddaebm::dataset::named("moons", 1));
#if __cplusplus >= 202002L
    EXPECT(scorer.score(std::span<const float>(rows)) == scores);
    const std::span<const float> seen = ddaebm::span<const float>(rows);
    EXPECT(seen.size() == rows.size());
#endif
}

void test_trainer() {
    const auto data = ddaebm::dataset::named("moons", 1);
    const ddaebm::model start(small(), 3);
    ddaebm::trainer trainer(start, data, 5);
    EXPECT(trainer.step().step == 1);

    std::size_t seen = 0;
    trainer.set_gradient_hook(
        [&](ddaebm_network, ddaebm::span<float> gradients) { seen += gradients.size(); });
    trainer.energy_gradients();
    EXPECT(trainer.gradients(DDAEBM_NETWORK_ENERGY).size() ==
           trainer.weights(DDAEBM_NETWORK_ENERGY).size());
    trainer.energy_update();
    trainer.generator_gradients();
    EXPECT(trainer.generator_update().step == 2 && seen > 0);

    EXPECT(fails(DDAEBM_CANCELLED, "", [&] {
        trainer.run_until(10, [](const ddaebm_step_statistics &, std::uint64_t) { return false; });
    }));
    EXPECT(throws_mine([&] {
        trainer.run_until(
            10, [](const ddaebm_step_statistics &, std::uint64_t) -> bool { throw mine{7}; });
    }));
    trainer.set_gradient_hook(nullptr);
    trainer.run_until(5);
    EXPECT(trainer.steps() == 5 && trainer.config().integer("training.batch") == 16);
    EXPECT(trainer.snapshot().timesteps() == 4);
    EXPECT(start.config().training_memory() > 0);

    const double rate = trainer.rate("energy.net.layers.0.weight");
    trainer.set_rate_factor("energy.", 0.5);
    EXPECT(trainer.rate("energy.net.layers.0.weight") == rate / 2);
    trainer.set_last_step(77);
    EXPECT(trainer.config().integer("training.steps") == 77);
    EXPECT(fails(DDAEBM_NOT_FOUND, "colour", [&] { trainer.set_rate_factor("colour", 1); }));
    const auto other = ddaebm::dataset::named("pinwheel", 2);
    trainer.set_dataset(other);
    trainer.set_shard(1, 2);
    EXPECT(trainer.model().width() == 2);
    std::size_t rows = 0;
    trainer.set_sample_hook(
        [&](const ddaebm_generated_batch &batch, ddaebm::span<float> gradients) {
            rows += batch.count;
            EXPECT(gradients.size() == 2 * batch.count && gradients.data()[0] == 0);
        });
    trainer.step();
    EXPECT(rows == 16);
    trainer.set_sample_hook(
        [](const ddaebm_generated_batch &, ddaebm::span<float>) { throw mine{7}; });
    EXPECT(throws_mine([&] { trainer.step(); }));
}

/// A handle that came from C is adopted by each class, lent to C, and given up again; a view refers
/// to what another object owns.
void test_handles() {
    ddaebm::context context(ddaebm::context().release());
    context.set_threads(1);
    ddaebm::config config(small().release());
    const ddaebm::config_view seen(config.get());
    EXPECT(seen.integer("training.batch") == 16 && seen.json() == config.json());
    EXPECT(seen.training_memory(context) == config.training_memory(context.get()));
    const ddaebm::dataset data(ddaebm::dataset::named("moons", 1, context).release());
    const ddaebm::model model(ddaebm::model(config, 3, context).release());
    EXPECT(ddaebm::model_view(model.get()).save_memory() == model.save_memory());

    ddaebm_sampler *lent_sampler = nullptr;
    ddaebm::check(ddaebm_sampler_create(&lent_sampler, model.get()));
    ddaebm::sampler sampler(lent_sampler, model);
    const auto rows = sampler.draw(1, 0, 8);
    EXPECT(rows == ddaebm::sampler(ddaebm::model_view(model)).draw(1, 0, 8));
    ddaebm_scorer *lent_scorer = nullptr;
    ddaebm::check(ddaebm_scorer_create(&lent_scorer, model.get()));
    EXPECT(ddaebm::scorer(lent_scorer, model).score(rows) == ddaebm::scorer(model).score(rows));

    ddaebm::trainer trainer(ddaebm::trainer(model, data, 5).release());
    EXPECT(trainer.step().step == 1 && trainer.model().save_memory() != model.save_memory());
    const ddaebm::trainer copy(trainer.model(), data, 5);
    EXPECT(copy.model().save_memory() == trainer.model().save_memory());

    const auto windows = ddaebm::dataset::windows(ddaebm::dataset::from_rows(rows, 1), 4, 3);
    const ddaebm_windows shape = windows.shape_of_windows();
    std::vector<double> cut(windows.rows() * 4), series(rows.size()), weights(rows.size());
    windows.read(0, ddaebm::span<double>(cut));
    ddaebm::add_windows(shape, cut, 0, series, weights);
    EXPECT(shape.samples == rows.size() && windows.sample_rate() == 0);
    EXPECT(std::vector<float>(series.begin(), series.end()) == rows);
    try { // a build without libsndfile refuses
        ddaebm::write_wav("series.wav", series, 2, 360);
        EXPECT(ddaebm::dataset::open("series.wav").sample_rate() == 360);
        EXPECT(std::remove("series.wav") == 0);
    } catch (const ddaebm::error &refused) {
        EXPECT(refused.status() == DDAEBM_UNSUPPORTED);
    }

    ddaebm::row_writer written("handles.npy", ddaebm_row_options DDAEBM_ROW_OPTIONS_INIT, {8, 2},
                               context);
    ddaebm::row_writer adopted(written.release(), 2);
    adopted.append(ddaebm::span<const float>(rows));
    adopted.finish();
    EXPECT(ddaebm::dataset::open("handles.npy", context).read(0, 8) == rows);
    EXPECT(std::remove("handles.npy") == 0);
}

/// The context that a call is given, as an object or as its handle, is the one that it uses.
void test_context() {
    ddaebm::context narrow;
    narrow.set_limit(DDAEBM_LIMIT_FILE_BYTES, 10);
    const auto file = ddaebm::model(small(), 3).save_memory();
    EXPECT(fails(DDAEBM_OUT_OF_RANGE, "", [&] { ddaebm::model::load_memory(file, narrow); }));
    EXPECT(fails(DDAEBM_OUT_OF_RANGE, "", [&] { ddaebm::model::load_memory(file, narrow.get()); }));
    EXPECT(ddaebm::model::load_memory(file, nullptr).width() == 2);
}

void test_train() {
    const auto data = ddaebm::dataset::named("moons", 1);
    std::uint64_t heard = 0;
    const ddaebm::model model = ddaebm::train(
        small(), data, 5, [&](const ddaebm_step_statistics &statistics, std::uint64_t last) {
            heard += statistics.step;
            return last == 4;
        });
    EXPECT(heard == 1 + 2 + 3 + 4);
    ddaebm::trainer trainer(ddaebm::model(small(), 5), data, 5);
    trainer.run();
    EXPECT(trainer.steps() == 4 && trainer.snapshot().save_memory() == model.save_memory());
    EXPECT(throws_mine([&] {
        ddaebm::train(small(), data, 5,
                      [](const ddaebm_step_statistics &, std::uint64_t) -> bool { throw mine{7}; });
    }));
}

/* Bytes that go in by one function, in small pieces, and come out by another. */
void test_streams() {
    const ddaebm::model start(small(), 3);
    const auto data = ddaebm::dataset::named("moons", 1);
    const ddaebm::trainer trainer(start, data, 5);
    std::vector<unsigned char> bytes;
    std::size_t at = 0;
    const auto put = [&](ddaebm::span<const unsigned char> piece) {
        bytes.insert(bytes.end(), piece.data(), piece.data() + piece.size());
    };
    const auto get = [&](ddaebm::span<unsigned char> room) {
        const std::size_t count = std::min<std::size_t>({room.size(), 1000, bytes.size() - at});
        std::copy_n(bytes.data() + at, count, room.data());
        at += count;
        return count;
    };
    start.save_stream(put);
    EXPECT(bytes == start.save_memory());
    EXPECT(ddaebm::model::load_stream(get).save_memory() == bytes);
    bytes.clear();
    at = 0;
    trainer.save_stream(put);
    EXPECT(bytes == trainer.save_memory());
    EXPECT(ddaebm::trainer::resume_stream(get, data).save_memory() == bytes);
    EXPECT(ddaebm::trainer::resume_memory(bytes, data).steps() == 0);
    EXPECT(throws_mine(
        [&] { start.save_stream([](ddaebm::span<const unsigned char>) { throw mine{7}; }); }));
    EXPECT(throws_mine([&] {
        ddaebm::model::load_stream(
            [](ddaebm::span<unsigned char>) -> std::size_t { throw mine{7}; });
    }));
}

void test_files() {
    char folder[] = "test_hpp_XXXXXX";
    EXPECT(mkdtemp(folder) != nullptr);
    const std::string model = std::string(folder) + "/model",
                      array = std::string(folder) + "/array", run = std::string(folder) + "/run";
    const ddaebm::model start(small(), 3);
    start.save(model);
    EXPECT(ddaebm::model::load(model).save_memory() == start.save_memory());
    std::uint64_t heard = 0;
    ddaebm::model::load(model,
                        [&](std::uint64_t done, std::uint64_t) { return (heard = done) > 0; });
    EXPECT(heard == start.save_memory().size());
    EXPECT(fails(DDAEBM_CANCELLED, "", [&] {
        ddaebm::model::load(model, [](std::uint64_t, std::uint64_t) { return false; });
    }));
    const auto data = ddaebm::dataset::named("moons", 1);
    ddaebm::trainer(start, data, 5).save(run);
    EXPECT(ddaebm::trainer::resume(run, data).steps() == 0);
    EXPECT(ddaebm::trainer::resume(run, data, [](std::uint64_t, std::uint64_t) {
               return true;
           }).steps() == 0);
    const std::vector<float> rows = {1, 2, 3, 4, 5, 6};
    ddaebm::write_npy(array, rows, {3, 2});
    EXPECT(ddaebm::dataset::open(array).read(0, 3) == rows);
    EXPECT(fails(DDAEBM_MISMATCH, "", [&] { ddaebm::write_npy(array, rows, {4, 2}); }));
    const std::uint8_t pixels[4] = {0, 1, 2, 3};
    try { // a build without libpng may refuse
        ddaebm::write_png(array, pixels, {2, 2, 1});
    } catch (const ddaebm::error &error) {
        EXPECT(error.status() == DDAEBM_UNSUPPORTED);
    }
    for (const std::string &path : {model, array, run})
        EXPECT(std::remove(path.c_str()) == 0);
    EXPECT(std::remove(folder) == 0);
}

} // namespace

int main() {
    EXPECT(ddaebm::version_number() ==
           DDAEBM_VERSION_MAJOR * 10000 + DDAEBM_VERSION_MINOR * 100 + DDAEBM_VERSION_PATCH);
    EXPECT(ddaebm::status_text(DDAEBM_OK) == "success");
    test_config();
    test_dataset();
    test_model();
    test_sample_and_score();
    test_refine();
    test_trainer();
    test_handles();
    test_context();
    test_train();
    test_streams();
    test_files();
    std::printf("%d failures\n", failures);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
