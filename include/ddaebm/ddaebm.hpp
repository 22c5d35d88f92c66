/** @file ddaebm.hpp
 *  The interface for C++11 and later: header-only classes over the C functions, whose documentation
 *  holds here as well.
 *
 *  Each class owns one handle, can be moved and not copied, and has the handle's functions as
 *  members, without their prefix:
 *
 *  - A call that fails throws ddaebm::error, which has the status and its text. An exception that a
 *    callback throws stops the call and leaves it. Compiled with -fno-exceptions, a failure calls
 *    std::terminate, whose handler can read ddaebm_error_message(); a program that must go on calls
 *    the C function, with get().
 *  - Arrays are ddaebm::span, made of arrays, vectors, std::span, or a pointer and a count. Counts
 *    follow from their sizes. A function that fills a span does not allocate; one without a span to
 *    fill returns a vector.
 *  - A constructor of each class adopts a C handle, get() lends it, release() gives it up. The
 *    views (context_view, config_view, model_view) refer to a handle that another object owns, and
 *    are valid as long as that. A class converts to its view.
 *
 *  What must outlive what is as in C: a model its samplers and scorers, a data set its trainers.
 */
#ifndef DDAEBM_HPP
#define DDAEBM_HPP

#include <ddaebm/ddaebm.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ddaebm {

/// A call that failed.
class error : public std::runtime_error {
  public:
    error(ddaebm_status status, const std::string &text)
        : std::runtime_error(text), status_(status) {}
    ddaebm_status status() const noexcept { return status_; }

  private:
    ddaebm_status status_;
};

/// A pointer and a count. It converts from what has data() and size(), and, having begin() and
/// end(), to std::span.
template <typename T> class span {
  public:
    span() noexcept : data_(nullptr), size_(0) {}
    span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
    template <std::size_t N> span(T (&array)[N]) noexcept : data_(array), size_(N) {}
    template <typename C, typename = typename std::enable_if<std::is_convertible<
                              decltype(std::declval<C &>().data()), T *>::value>::type>
    span(C &&container) noexcept : data_(container.data()), size_(container.size()) {}

    T *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    T *begin() const noexcept { return data_; }
    T *end() const noexcept { return data_ + size_; }
    T &operator[](std::size_t i) const { return data_[i]; }

  private:
    T *data_;
    std::size_t size_;
};

/// Height, width and channels; all 0 where rows are no images.
struct image_shape {
    std::size_t height, width, channels;
};

/// Receives the progress of a call, in rows, or in bytes for a load (a total of 0: unknown);
/// returns whether to go on.
typedef std::function<bool(std::uint64_t done, std::uint64_t total)> progress;
/// Reads the next bytes of a stream into the buffer and returns their number; 0 at the end.
typedef std::function<std::size_t(span<unsigned char> buffer)> stream_reader;
/// Writes the next bytes of a stream, all of them.
typedef std::function<void(span<const unsigned char> bytes)> stream_writer;

namespace detail {

#ifdef __cpp_exceptions
[[noreturn]] inline void fail(ddaebm_status status, const std::string &text) {
    throw error(status, text);
}

/// The exception of a callback of this thread, until the call that it stopped returns.
inline std::exception_ptr &thrown() {
    static thread_local std::exception_ptr exception;
    return exception;
}

inline void check(ddaebm_status status) {
    if (status == DDAEBM_OK)
        return;
    if (thrown()) {
        std::exception_ptr exception;
        std::swap(exception, thrown());
        std::rethrow_exception(exception);
    }
    fail(status, ddaebm_error_message());
}

/// Calls a callback and keeps its exception, which must not pass through C. Returns false if it
/// threw or returned false.
template <typename F> bool guarded(F call) noexcept {
    try {
        return call();
    } catch (...) {
        thrown() = std::current_exception();
        return false;
    }
}
#else
[[noreturn]] inline void fail(ddaebm_status, const std::string &) {
    std::terminate();
}

inline void check(ddaebm_status status) {
    if (status != DDAEBM_OK)
        std::terminate();
}

template <typename F> bool guarded(F call) noexcept {
    return call();
}
#endif

inline int go_on(void *user, std::uint64_t done, std::uint64_t total) {
    const progress &function = *static_cast<const progress *>(user);
    return guarded([&] { return function(done, total); }) ? 0 : 1;
}

/// A C reader, valid as long as this object.
class incoming {
  public:
    incoming(const char *path, stream_reader read, progress report)
        : read_(std::move(read)), report_(std::move(report)) {
        const ddaebm_reader none = DDAEBM_READER_INIT;
        reader_ = none;
        reader_.path = path;
        reader_.read = read_ ? &incoming::pull : nullptr;
        reader_.user = &read_;
        reader_.progress = report_ ? &go_on : nullptr;
        reader_.progress_user = &report_;
    }
    incoming(const incoming &) = delete;
    incoming &operator=(const incoming &) = delete;
    const ddaebm_reader *get() const noexcept { return &reader_; }

  private:
    static ddaebm_status pull(void *user, void *buffer, std::size_t capacity, std::size_t *got) {
        const stream_reader &read = *static_cast<const stream_reader *>(user);
        const bool good = guarded([&] {
            *got = read(span<unsigned char>(static_cast<unsigned char *>(buffer), capacity));
            return true;
        });
        return good ? DDAEBM_OK : DDAEBM_CANCELLED;
    }
    stream_reader read_;
    progress report_;
    ddaebm_reader reader_;
};

/// Calls save(self, a C writer).
template <typename Handle>
void save_stream(ddaebm_status (*save)(const Handle *, const ddaebm_writer *), const Handle *self,
                 stream_writer write) {
    struct outgoing {
        static ddaebm_status push(void *user, const void *bytes, std::size_t count) {
            const stream_writer &write = *static_cast<const stream_writer *>(user);
            const bool good = guarded([&] {
                write(span<const unsigned char>(static_cast<const unsigned char *>(bytes), count));
                return true;
            });
            return good ? DDAEBM_OK : DDAEBM_CANCELLED;
        }
    };
    ddaebm_writer writer = DDAEBM_WRITER_INIT;
    writer.write = &outgoing::push;
    writer.user = &write;
    check(save(self, &writer));
}

/// Returns the bytes that save(self, room, capacity, &needed) writes.
template <typename Handle>
std::vector<unsigned char> save_memory(ddaebm_status (*save)(const Handle *, void *, std::size_t,
                                                             std::size_t *),
                                       const Handle *self) {
    std::size_t needed = 0;
    const ddaebm_status status = save(self, nullptr, 0, &needed);
    if (status != DDAEBM_OUT_OF_RANGE) // no room: needed is set
        check(status);
    std::vector<unsigned char> file(needed);
    check(save(self, file.data(), needed, nullptr));
    return file;
}

/// Number of rows in a span.
inline std::size_t rows_of(std::size_t size, std::size_t width) {
    if (size % width != 0)
        fail(DDAEBM_MISMATCH,
             std::to_string(size) + " numbers are no rows of " + std::to_string(width));
    return size / width;
}

/// Number of rows in a span, for a width that may be 0.
inline std::size_t table_rows(std::size_t size, std::size_t width) {
    if (width == 0)
        detail::fail(DDAEBM_OUT_OF_RANGE, "rows without a number");
    return rows_of(size, width);
}

/// Copies a text that may be NULL.
inline std::string text_or_empty(const char *text) {
    return text ? text : "";
}

inline void expect(std::size_t size, std::size_t wanted) {
    if (size != wanted)
        fail(DDAEBM_MISMATCH, "a span of " + std::to_string(size) + " numbers, where " +
                                  std::to_string(wanted) + " belong");
}

inline std::size_t image_count(std::size_t size, image_shape shape) {
    const std::size_t width = shape.height * shape.width * shape.channels;
    if (width == 0)
        fail(DDAEBM_OUT_OF_RANGE, "images without a pixel");
    return rows_of(size, width);
}

/// Lists strings by index, up to the first NULL.
inline std::vector<std::string> names(const char *(*name)(std::size_t)) {
    std::vector<std::string> list;
    for (std::size_t i = 0; const char *text = name(i); i++)
        list.push_back(text);
    return list;
}

/// Lists structs by index, up to the first DDAEBM_NOT_FOUND.
template <typename Info, typename F> std::vector<Info> infos(Info info, F read) {
    std::vector<Info> list;
    for (;;) {
        const ddaebm_status status = read(list.size(), &info);
        if (status == DDAEBM_NOT_FOUND)
            return list;
        check(status);
        list.push_back(info);
    }
}

/// Owner of a C handle.
template <typename T, void (*Free)(T *)> class handle {
  public:
    /// Lends the C handle.
    T *get() const noexcept { return owned_.get(); }
    /// Gives up the C handle, which the caller must free.
    T *release() noexcept { return owned_.release(); }

  protected:
    explicit handle(T *owned) noexcept : owned_(owned) {}
    /// Calls create(&new handle, arguments...).
    template <typename F, typename... Arguments> static T *make(F create, Arguments... arguments) {
        T *made = nullptr;
        check(create(&made, arguments...));
        return made;
    }

  private:
    struct deleter {
        void operator()(T *pointer) const noexcept { Free(pointer); }
    };
    std::unique_ptr<T, deleter> owned_;
};

} // namespace detail

/// Throws if a C call failed; for C functions that are called directly.
inline void check(ddaebm_status status) {
    detail::check(status);
}

inline std::string version_text() {
    return ddaebm_version_text();
}
inline int version_number() {
    return ddaebm_version_number();
}
inline std::string status_text(ddaebm_status status) {
    return ddaebm_status_text(status);
}

/// Number of threads of a new context; @p reason, if not NULL, is set to where it comes from.
inline int default_threads(std::string *reason = nullptr) {
    char text[128];
    int threads = ddaebm_default_threads(text, sizeof text);
    if (reason)
        *reason = text;
    return threads;
}

/// Memory, threads and log.
class context : public detail::handle<ddaebm_context, ddaebm_context_free> {
  public:
    context() : context(make(ddaebm_context_create, nullptr)) {}
    explicit context(const ddaebm_allocator &allocator)
        : context(make(ddaebm_context_create, &allocator)) {}
    explicit context(ddaebm_context *owned) noexcept : handle(owned) {}

    void set_threads(int threads) { check(ddaebm_context_set_threads(get(), threads)); }
    int threads() const { return ddaebm_context_threads(get()); }
    void set_limit(ddaebm_limit which, std::uint64_t value) {
        check(ddaebm_context_set_limit(get(), which, value));
    }
    std::uint64_t limit(ddaebm_limit which) const { return ddaebm_context_limit(get(), which); }
    void set_accept_not_finite(bool accept) {
        check(ddaebm_context_set_accept_not_finite(get(), accept));
    }
    bool accept_not_finite() const { return ddaebm_context_accept_not_finite(get()) != 0; }
    void set_deterministic(bool deterministic) {
        check(ddaebm_context_set_deterministic(get(), deterministic));
    }
    bool deterministic() const { return ddaebm_context_deterministic(get()) != 0; }
    /// A C function, since handles keep the context, and so the log, beyond this object. It must
    /// not throw.
    void set_log(ddaebm_log_function function, void *user, ddaebm_log_level least) {
        check(ddaebm_context_set_log(get(), function, user, least));
    }
};

/// A context that a call uses: a ddaebm::context, a C handle, or nullptr for the defaults.
class context_view {
  public:
    context_view(ddaebm_context *lent = nullptr) noexcept : lent_(lent) {}
    context_view(const context &owner) noexcept : lent_(owner.get()) {}
    ddaebm_context *get() const noexcept { return lent_; }

  private:
    ddaebm_context *lent_;
};

namespace detail {

/// Reading members of a configuration, for the classes that have its get().
template <typename Self> class config_reader {
  public:
    std::int64_t integer(const std::string &key) const {
        std::int64_t value = 0;
        check(ddaebm_config_integer(lent(), key.c_str(), &value));
        return value;
    }
    double real(const std::string &key) const {
        double value = 0;
        check(ddaebm_config_real(lent(), key.c_str(), &value));
        return value;
    }
    std::string text(const std::string &key) const { return read(key.c_str()); }
    /// The whole configuration as JSON.
    std::string json() const { return read(nullptr); }
    /// Bytes that a trainer of this configuration holds after its first step.
    std::size_t training_memory(context_view context = nullptr) const {
        std::size_t bytes = 0;
        check(ddaebm_config_training_memory(lent(), context.get(), &bytes));
        return bytes;
    }

  private:
    const ddaebm_config *lent() const { return static_cast<const Self *>(this)->get(); }
    std::string read(const char *key) const {
        std::size_t needed = 0;
        const ddaebm_status status = ddaebm_config_text(lent(), key, nullptr, 0, &needed);
        if (status != DDAEBM_OUT_OF_RANGE) // no room: needed is set
            check(status);
        std::string text(needed, '\0');
        check(ddaebm_config_text(lent(), key, &text[0], needed, nullptr));
        text.resize(needed - 1);
        return text;
    }
};

} // namespace detail

/// A configuration that another object owns: a config, a model or a trainer.
class config_view : public detail::config_reader<config_view> {
  public:
    explicit config_view(const ddaebm_config *lent) noexcept : lent_(lent) {}
    const ddaebm_config *get() const noexcept { return lent_; }

  private:
    const ddaebm_config *lent_;
};

/// Every hyperparameter.
class config : public detail::handle<ddaebm_config, ddaebm_config_free>,
               public detail::config_reader<config> {
  public:
    explicit config(const std::string &preset, context_view context = nullptr)
        : config(make(ddaebm_config_create, context.get(), preset.c_str())) {}
    explicit config(config_view original) : config(make(ddaebm_config_copy, original.get())) {}
    explicit config(ddaebm_config *owned) noexcept : handle(owned) {}
    operator config_view() const noexcept { return config_view(get()); }

    config &set(const std::string &key, const std::string &value) {
        return done(ddaebm_config_set(get(), key.c_str(), value.c_str()));
    }
    config &set_integer(const std::string &key, std::int64_t value) {
        return done(ddaebm_config_set_integer(get(), key.c_str(), value));
    }
    config &set_real(const std::string &key, double value) {
        return done(ddaebm_config_set_real(get(), key.c_str(), value));
    }
    config &parse(const std::string &json) {
        return done(ddaebm_config_parse(get(), json.data(), json.size()));
    }
    config &load(const std::string &path) { return done(ddaebm_config_load(get(), path.c_str())); }

    static std::vector<ddaebm_key_info> keys() {
        return detail::infos(ddaebm_key_info DDAEBM_KEY_INFO_INIT, ddaebm_config_key_info);
    }
    static std::vector<std::string> presets() { return detail::names(ddaebm_config_preset); }

  private:
    config &done(ddaebm_status status) {
        check(status);
        return *this;
    }
};

/// Rows to train on or to score.
class dataset : public detail::handle<ddaebm_dataset, ddaebm_dataset_free> {
  public:
    /// Writes rows first, first + 1, ... until the span is full; the same for the same numbers,
    /// from any thread that reads the set.
    typedef std::function<void(std::uint64_t first, span<float> rows)> source;

    explicit dataset(ddaebm_dataset *owned) noexcept : handle(owned) {}
    static dataset named(const std::string &name, std::uint64_t seed,
                         context_view context = nullptr) {
        return dataset(make(ddaebm_dataset_create_named, context.get(), name.c_str(), seed));
    }
    static dataset open(const std::string &path, context_view context = nullptr) {
        return dataset(make(ddaebm_dataset_open, context.get(), path.c_str()));
    }
    static dataset open(const std::string &path, const ddaebm_read_options &options,
                        context_view context = nullptr) {
        return dataset(make(ddaebm_dataset_open_with, context.get(), path.c_str(), &options));
    }
    static dataset from_rows(span<const float> rows, std::size_t width,
                             context_view context = nullptr) {
        return dataset(make(ddaebm_dataset_create_rows, context.get(), rows.data(),
                            detail::table_rows(rows.size(), width), width));
    }
    static dataset from_rows(span<const double> rows, std::size_t width,
                             context_view context = nullptr) {
        return dataset(make(ddaebm_dataset_create_rows_double, context.get(), rows.data(),
                            detail::table_rows(rows.size(), width), width));
    }
    /// NaN is a missing value.
    static dataset from_rows_missing(span<const double> rows, std::size_t width,
                                     context_view context = nullptr) {
        return dataset(make(ddaebm_dataset_create_rows_missing, context.get(), rows.data(),
                            detail::table_rows(rows.size(), width), width));
    }
    static dataset from_images(span<const std::uint8_t> pixels, image_shape shape,
                               context_view context = nullptr) {
        const std::size_t count = detail::image_count(pixels.size(), shape);
        return dataset(make(ddaebm_dataset_create_images, context.get(), pixels.data(), count,
                            shape.height, shape.width, shape.channels));
    }
    static dataset from_images(span<const float> pixels, image_shape shape,
                               context_view context = nullptr) {
        const std::size_t count = detail::image_count(pixels.size(), shape);
        return dataset(make(ddaebm_dataset_create_images_float, context.get(), pixels.data(), count,
                            shape.height, shape.width, shape.channels));
    }
    /// rows: how many there are; 0 for no end.
    static dataset from_source(source read, std::size_t width, std::uint64_t rows,
                               context_view context = nullptr) {
        std::unique_ptr<reader> own(new reader{std::move(read), width});
        ddaebm_source given = DDAEBM_SOURCE_INIT;
        given.width = width;
        given.rows = rows;
        given.read = &dataset::read_rows;
        given.user = own.get();
        dataset made(make(ddaebm_dataset_create_source, context.get(), &given));
        made.reader_ = std::move(own);
        return made;
    }

    /// Overlapping windows of a series, whose rows are its samples.
    static dataset windows(const dataset &series, std::size_t window, std::size_t hop) {
        return dataset(make(ddaebm_dataset_create_windows, series.get(), window, hop));
    }

    std::size_t width() const { return ddaebm_dataset_width(get()); }
    std::uint64_t rows() const { return ddaebm_dataset_rows(get()); }
    /// Of a set of windows.
    ddaebm_windows shape_of_windows() const {
        ddaebm_windows shape = DDAEBM_WINDOWS_INIT;
        check(ddaebm_dataset_windows(get(), &shape));
        return shape;
    }
    /// Samples a second of a WAV file; 0 for others.
    std::size_t sample_rate() const { return ddaebm_dataset_sample_rate(get()); }
    std::uint64_t missing() const { return ddaebm_dataset_missing(get()); }
    /// How the numbers of the set's file stand for its rows: axes of the array, and the numbers of
    /// black and white.
    struct form_of_file {
        std::size_t rank;
        double black, white;
    };
    form_of_file form() const {
        form_of_file found = {0, 0, 0};
        ddaebm_dataset_form(get(), &found.rank, &found.black, &found.white);
        return found;
    }
    ddaebm::image_shape image_shape() const {
        ddaebm::image_shape shape = {0, 0, 0};
        ddaebm_dataset_image_shape(get(), &shape.height, &shape.width, &shape.channels);
        return shape;
    }
    void read(std::uint64_t first, span<float> out) const {
        check(ddaebm_dataset_read(get(), first, detail::rows_of(out.size(), width()), out.data()));
    }
    void read(std::uint64_t first, span<double> out) const {
        check(ddaebm_dataset_read_double(get(), first, detail::rows_of(out.size(), width()),
                                         out.data()));
    }
    std::vector<float> read(std::uint64_t first, std::size_t count) const {
        std::vector<float> out(count * width());
        read(first, span<float>(out));
        return out;
    }
    /// Empty for a column without a name.
    std::string column_name(std::size_t index) const {
        return detail::text_or_empty(ddaebm_dataset_column_name(get(), index));
    }
    static std::vector<std::string> names() { return detail::names(ddaebm_dataset_name); }

  private:
    struct reader {
        source read;
        std::size_t width;
    };
    static ddaebm_status read_rows(void *user, std::uint64_t first, std::size_t count, float *out) {
        const reader *self = static_cast<const reader *>(user);
        const bool good = detail::guarded([&] {
            self->read(first, span<float>(out, count * self->width));
            return true;
        });
        return good ? DDAEBM_OK : DDAEBM_CANCELLED;
    }
    std::unique_ptr<reader> reader_; ///< where the C handle finds it, wherever this object moves
};

namespace detail {

/// Reading members of a model, for the classes that have its get().
template <typename Self> class model_reader {
  public:
    void save(const std::string &path) const { check(ddaebm_model_save(lent(), path.c_str())); }
    void save_half(const std::string &path) const {
        check(ddaebm_model_save_half(lent(), path.c_str()));
    }
    void save_stream(stream_writer write) const {
        detail::save_stream(ddaebm_model_save_stream, lent(), std::move(write));
    }
    std::vector<unsigned char> save_memory() const {
        return detail::save_memory(ddaebm_model_save_memory, lent());
    }

    config_view config() const { return config_view(ddaebm_model_config(lent())); }
    std::size_t width() const { return ddaebm_model_width(lent()); }
    ddaebm::image_shape image_shape() const {
        ddaebm::image_shape shape = {0, 0, 0};
        ddaebm_model_image_shape(lent(), &shape.height, &shape.width, &shape.channels);
        return shape;
    }
    std::size_t timesteps() const { return ddaebm_model_timesteps(lent()); }
    double temperature() const { return ddaebm_model_temperature(lent()); }
    std::uint64_t best_step() const { return ddaebm_model_best_step(lent()); }
    /// Throws for a model that is not normalised.
    ddaebm_normaliser normaliser() const {
        ddaebm_normaliser info = DDAEBM_NORMALISER_INIT;
        detail::check(ddaebm_model_normaliser(lent(), &info));
        return info;
    }
    double held_out_contrast() const { return ddaebm_model_held_out_contrast(lent()); }
    /// Empty for a column without a name.
    std::string column_name(std::size_t index) const {
        return detail::text_or_empty(ddaebm_model_column_name(lent(), index));
    }
    /// Throws unless the set has the columns of the training data.
    void check_columns(const dataset &data) const {
        check(ddaebm_model_check_columns(lent(), data.get()));
    }
    /// Throws unless the set can be scored with the model.
    void check_data(const dataset &data) const {
        check(ddaebm_model_check_data(lent(), data.get()));
    }

    /// Descriptions of all tensors; their names belong to the model.
    std::vector<ddaebm_parameter_info> parameters() const {
        const ddaebm_model *self = lent();
        return detail::infos(ddaebm_parameter_info DDAEBM_PARAMETER_INFO_INIT,
                             [self](std::size_t index, ddaebm_parameter_info *info) {
                                 return ddaebm_model_parameter_info(self, index, info);
                             });
    }
    std::size_t parameter_count() const { return ddaebm_model_parameter_count(lent()); }
    void parameter(const std::string &name, span<float> values) const {
        check(ddaebm_model_parameter(lent(), name.c_str(), values.data(), values.size()));
    }

  private:
    const ddaebm_model *lent() const { return static_cast<const Self *>(this)->get(); }
};

} // namespace detail

/// A model that another object owns: a ddaebm::model or a trainer.
class model_view : public detail::model_reader<model_view> {
  public:
    explicit model_view(const ddaebm_model *lent) noexcept : lent_(lent) {}
    const ddaebm_model *get() const noexcept { return lent_; }

  private:
    const ddaebm_model *lent_;
};

/// Weights, configuration, and the statistics of the data.
class model : public detail::handle<ddaebm_model, ddaebm_model_free>,
              public detail::model_reader<model> {
  public:
    model(config_view config, std::uint64_t seed, context_view context = nullptr)
        : model(make(ddaebm_model_create, context.get(), config.get(), seed)) {}
    explicit model(ddaebm_model *owned) noexcept : handle(owned) {}
    operator model_view() const noexcept { return model_view(get()); }
    static model load(const std::string &path, context_view context = nullptr) {
        return model(make(ddaebm_model_load, context.get(), path.c_str()));
    }
    static model load_memory(span<const unsigned char> file, context_view context = nullptr) {
        return model(make(ddaebm_model_load_memory, context.get(),
                          static_cast<const void *>(file.data()), file.size()));
    }
    static model load(const std::string &path, progress report, context_view context = nullptr) {
        return model(make(ddaebm_model_load_stream, context.get(),
                          detail::incoming(path.c_str(), nullptr, std::move(report)).get()));
    }
    static model load_stream(stream_reader read, context_view context = nullptr) {
        return model(make(ddaebm_model_load_stream, context.get(),
                          detail::incoming(nullptr, std::move(read), nullptr).get()));
    }

    void set_temperature(double temperature) {
        check(ddaebm_model_set_temperature(get(), temperature));
    }
    void set_parameter(const std::string &name, span<const float> values) {
        check(ddaebm_model_set_parameter(get(), name.c_str(), values.data(), values.size()));
    }
    void fit_typicality(const dataset &data) {
        check(ddaebm_model_fit_typicality(get(), data.get()));
    }
    /// Finds the normaliser, so that scores at timestep 0 are log-densities in nats.
    void fit_normaliser(ddaebm_normaliser_options options = DDAEBM_NORMALISER_OPTIONS_INIT,
                        progress report = nullptr) {
        check(ddaebm_model_fit_normaliser(get(), &options, report ? &detail::go_on : nullptr,
                                          &report));
    }
};

/// Draws samples. One thread at a time.
class sampler : public detail::handle<ddaebm_sampler, ddaebm_sampler_free> {
  public:
    typedef ddaebm::progress progress;
    /// Computes log-densities at batch.rows and their gradients; both are zero at first.
    typedef std::function<void(const ddaebm_guidance_batch &batch, span<double> log_densities,
                               span<double> gradients)>
        guidance;

    explicit sampler(model_view model) : sampler(make(ddaebm_sampler_create, model.get()), model) {}
    /// Adopts a sampler that was made of the model.
    sampler(ddaebm_sampler *owned, model_view model) noexcept
        : handle(owned), width_(model.width()), timesteps_(model.timesteps()) {}

    /// nullptr for none.
    void set_progress(progress function) {
        std::unique_ptr<progress> own(function ? new progress(std::move(function)) : nullptr);
        check(ddaebm_sampler_set_progress(get(), own ? &detail::go_on : nullptr, own.get()));
        progress_ = std::move(own);
    }
    /// steps: 0 for none; timesteps: number of timesteps, counted from timestep 0.
    void set_refinement(std::size_t steps, std::size_t timesteps = 1) {
        check(ddaebm_sampler_set_refinement(get(), steps, timesteps));
    }
    /// nullptr for none.
    void set_guidance(guidance function) {
        std::unique_ptr<guidance> own(function ? new guidance(std::move(function)) : nullptr);
        check(ddaebm_sampler_set_guidance(get(), own ? &sampler::guide : nullptr, own.get()));
        guidance_ = std::move(own);
    }
    /// Acceptance rate of the last draw.
    double acceptance() const {
        double rate = 0;
        check(ddaebm_sampler_acceptance(get(), &rate));
        return rate;
    }
    /// Rows at whose multiples a long sequence can be divided without changing a bit.
    std::size_t block() const { return ddaebm_sampler_block(get()); }
    void draw(std::uint64_t seed, std::uint64_t first, span<float> rows) {
        check(ddaebm_sampler_draw(get(), seed, first, detail::rows_of(rows.size(), width_),
                                  rows.data()));
    }
    void draw(std::uint64_t seed, std::uint64_t first, span<double> rows) {
        check(ddaebm_sampler_draw_double(get(), seed, first, detail::rows_of(rows.size(), width_),
                                         rows.data()));
    }
    std::vector<float> draw(std::uint64_t seed, std::uint64_t first, std::size_t count) {
        std::vector<float> rows(count * width_);
        draw(seed, first, span<float>(rows));
        return rows;
    }
    /// [count, T + 1, width]
    void draw_steps(std::uint64_t seed, std::uint64_t first, span<float> steps) {
        const std::size_t count = detail::rows_of(steps.size(), (timesteps_ + 1) * width_);
        check(ddaebm_sampler_draw_steps(get(), seed, first, count, steps.data()));
    }

  private:
    static ddaebm_status guide(void *user, const ddaebm_guidance_batch *batch,
                               double *log_densities, double *gradients) {
        const guidance &function = *static_cast<const guidance *>(user);
        const bool good = detail::guarded([&] {
            function(*batch, span<double>(log_densities, batch->count),
                     span<double>(gradients, batch->count * batch->width));
            return true;
        });
        return good ? DDAEBM_OK : DDAEBM_CANCELLED;
    }
    std::unique_ptr<progress> progress_;
    std::unique_ptr<guidance> guidance_;
    std::size_t width_, timesteps_;
};

/// Restores rows of which only y = A x + noise is known. NaN in y is missing.
class restorer : public detail::handle<ddaebm_restorer, ddaebm_restorer_free> {
  public:
    typedef ddaebm::progress progress;
    /// Mean and standard deviation of draws.
    struct estimate {
        std::vector<double> mean, deviation;
    };

    explicit restorer(model_view model)
        : restorer(make(ddaebm_restorer_create, model.get()), model) {}
    /// Adopts a restorer that was made of the model.
    restorer(ddaebm_restorer *owned, model_view model) noexcept
        : handle(owned), width_(model.width()), measured_(width_) {}

    void set_noise(double deviation) { check(ddaebm_restorer_set_noise(get(), &deviation, 1)); }
    void set_noise(span<const double> deviations) {
        check(ddaebm_restorer_set_noise(get(), deviations.data(), deviations.size()));
    }
    /// A map of C functions; sets the noise to 0.
    void set_operator(const ddaebm_operator &map) {
        check(ddaebm_restorer_set_operator(get(), &map));
        measured_ = map.measured;
    }
    /// nullptr for none.
    void set_progress(progress function) {
        std::unique_ptr<progress> own(function ? new progress(std::move(function)) : nullptr);
        check(ddaebm_restorer_set_progress(get(), own ? &detail::go_on : nullptr, own.get()));
        progress_ = std::move(own);
    }
    /// Estimates the noise of y, and sets it.
    double fit_noise(std::uint64_t seed, span<const double> y) {
        double found = 0;
        check(ddaebm_restorer_fit_noise(get(), seed, detail::rows_of(y.size(), measured_), y.data(),
                                        &found));
        return found;
    }
    /// samples: [draws, rows of y, width]
    void draw(std::uint64_t seed, std::uint64_t first, span<const float> y, std::size_t draws,
              span<float> samples) {
        check(ddaebm_restorer_draw(get(), seed, first, rows(y.size(), draws, samples.size()),
                                   y.data(), draws, samples.data()));
    }
    void draw(std::uint64_t seed, std::uint64_t first, span<const double> y, std::size_t draws,
              span<double> samples) {
        check(ddaebm_restorer_draw_double(get(), seed, first, rows(y.size(), draws, samples.size()),
                                          y.data(), draws, samples.data()));
    }
    /// deviation: empty for none.
    void mean(std::uint64_t seed, std::uint64_t first, span<const float> y, std::size_t draws,
              span<float> mean, span<float> deviation = span<float>()) {
        const std::size_t count = rows(y.size(), 1, mean.size());
        if (deviation.size() > 0)
            detail::expect(deviation.size(), mean.size());
        check(ddaebm_restorer_mean(get(), seed, first, count, y.data(), draws, mean.data(),
                                   deviation.data()));
    }
    estimate mean(std::uint64_t seed, std::uint64_t first, span<const double> y,
                  std::size_t draws) {
        const std::size_t count = detail::rows_of(y.size(), measured_);
        estimate found = {std::vector<double>(count * width_), std::vector<double>(count * width_)};
        check(ddaebm_restorer_mean_double(get(), seed, first, count, y.data(), draws,
                                          found.mean.data(), found.deviation.data()));
        return found;
    }
    /// Means of what is missing (NaN) in rows of a table, with the rest as it is. draws: [draws,
    /// rows, width], of options.draws draws, or empty for none.
    std::vector<double> fill(span<const double> rows, const ddaebm_fill_options &options,
                             span<double> draws = span<double>()) {
        const std::size_t count = detail::rows_of(rows.size(), width_);
        if (draws.size() > 0)
            detail::expect(draws.size(), options.draws * rows.size());
        std::vector<double> means(rows.size());
        check(ddaebm_restorer_fill(get(), rows.data(), count, &options, means.data(),
                                   draws.size() > 0 ? draws.data() : nullptr));
        return means;
    }

  private:
    std::size_t rows(std::size_t given, std::size_t draws, std::size_t room) const {
        const std::size_t count = detail::rows_of(given, measured_);
        detail::expect(room, count * draws * width_);
        return count;
    }
    std::unique_ptr<progress> progress_;
    std::size_t width_, measured_;
};

/// Scores rows. One thread at a time.
class scorer : public detail::handle<ddaebm_scorer, ddaebm_scorer_free> {
  public:
    explicit scorer(model_view model) : scorer(make(ddaebm_scorer_create, model.get()), model) {}
    /// Adopts a scorer that was made of the model.
    scorer(ddaebm_scorer *owned, model_view model) noexcept
        : handle(owned), width_(model.width()) {}

    /// Rows at whose multiples many rows can be divided without changing a bit.
    std::size_t block() const { return ddaebm_scorer_block(get()); }
    void score(ddaebm_score kind, span<const float> rows, std::size_t timestep,
               span<float> scores) {
        check(ddaebm_scorer_score(get(), kind, rows.data(), paired(rows.size(), scores), timestep,
                                  scores.data()));
    }
    void score(ddaebm_score kind, span<const double> rows, std::size_t timestep,
               span<float> scores) {
        check(ddaebm_scorer_score_double(get(), kind, rows.data(), paired(rows.size(), scores),
                                         timestep, scores.data()));
    }
    std::vector<float> score(span<const float> rows, std::size_t timestep = 0,
                             ddaebm_score kind = DDAEBM_SCORE_ENERGY) {
        std::vector<float> scores(detail::rows_of(rows.size(), width_));
        score(kind, rows, timestep, span<float>(scores));
        return scores;
    }
    void gradient(span<const float> rows, std::size_t timestep, span<float> gradients) {
        detail::expect(gradients.size(), rows.size());
        check(ddaebm_scorer_gradient(get(), rows.data(), detail::rows_of(rows.size(), width_),
                                     timestep, gradients.data()));
    }
    void gradient(span<const double> rows, std::size_t timestep, span<double> gradients) {
        detail::expect(gradients.size(), rows.size());
        check(ddaebm_scorer_gradient_double(
            get(), rows.data(), detail::rows_of(rows.size(), width_), timestep, gradients.data()));
    }
    /// Finds the columns that lower each row's score most, [count, most]; values may be empty.
    void explain(span<const float> rows, std::size_t timestep, std::size_t most,
                 span<std::size_t> columns, span<float> contributions, span<float> values) {
        const std::size_t count = reasoned(rows.size(), most, columns, contributions, values);
        check(ddaebm_scorer_explain(get(), rows.data(), count, timestep, most, columns.data(),
                                    contributions.data(), values.size() ? values.data() : nullptr));
    }
    void explain(span<const double> rows, std::size_t timestep, std::size_t most,
                 span<std::size_t> columns, span<float> contributions, span<double> values) {
        const std::size_t count = reasoned(rows.size(), most, columns, contributions, values);
        check(ddaebm_scorer_explain_double(get(), rows.data(), count, timestep, most,
                                           columns.data(), contributions.data(),
                                           values.size() ? values.data() : nullptr));
    }
    /// nullptr for none.
    void set_progress(progress function) {
        std::unique_ptr<progress> own(function ? new progress(std::move(function)) : nullptr);
        check(ddaebm_scorer_set_progress(get(), own ? &detail::go_on : nullptr, own.get()));
        progress_ = std::move(own);
    }
    static std::vector<std::string> score_names() { return detail::names(ddaebm_score_name); }

  private:
    std::size_t paired(std::size_t numbers, span<float> scores) const {
        const std::size_t count = detail::rows_of(numbers, width_);
        detail::expect(scores.size(), count);
        return count;
    }
    template <class T>
    std::size_t reasoned(std::size_t numbers, std::size_t most, span<std::size_t> columns,
                         span<float> contributions, span<T> values) const {
        const std::size_t count = detail::rows_of(numbers, width_);
        detail::expect(columns.size(), count * most);
        detail::expect(contributions.size(), count * most);
        if (values.size())
            detail::expect(values.size(), count * most);
        return count;
    }
    std::unique_ptr<progress> progress_;
    std::size_t width_;
};

/// Trains a model. One thread at a time.
class trainer : public detail::handle<ddaebm_trainer, ddaebm_trainer_free> {
  public:
    /// Changes gradients before their update.
    typedef std::function<void(ddaebm_network network, span<float> gradients)> gradient_hook;
    /// Adds a custom loss L on generated samples: sets gradients, zero at first, to dL / d samples.
    typedef std::function<void(const ddaebm_generated_batch &batch, span<float> gradients)>
        sample_hook;
    /// Receives the measurements of each step; returns whether to go on.
    typedef std::function<bool(const ddaebm_step_statistics &statistics, std::uint64_t last)>
        progress;

    trainer(model_view start, const dataset &data, std::uint64_t seed)
        : trainer(make(ddaebm_trainer_create, start.get(), data.get(), seed)) {}
    explicit trainer(ddaebm_trainer *owned) noexcept : handle(owned) {}
    static trainer resume(const std::string &path, const dataset &data,
                          context_view context = nullptr) {
        return trainer(make(ddaebm_trainer_resume, context.get(), path.c_str(), data.get()));
    }
    static trainer resume(const std::string &path, const dataset &data, ddaebm::progress report,
                          context_view context = nullptr) {
        return trainer(make(ddaebm_trainer_resume_stream, context.get(),
                            detail::incoming(path.c_str(), nullptr, std::move(report)).get(),
                            data.get()));
    }
    static trainer resume(const std::string &path, const dataset &data,
                          const ddaebm_resume_options &options, context_view context = nullptr) {
        return trainer(make(ddaebm_trainer_resume_with, context.get(),
                            detail::incoming(path.c_str(), nullptr, nullptr).get(), data.get(),
                            &options));
    }
    static trainer resume_stream(stream_reader read, const dataset &data,
                                 context_view context = nullptr) {
        return trainer(make(ddaebm_trainer_resume_stream, context.get(),
                            detail::incoming(nullptr, std::move(read), nullptr).get(), data.get()));
    }
    static trainer resume_memory(span<const unsigned char> file, const dataset &data,
                                 context_view context = nullptr) {
        return trainer(make(ddaebm_trainer_resume_memory, context.get(),
                            static_cast<const void *>(file.data()), file.size(), data.get()));
    }
    void save(const std::string &path) const { check(ddaebm_trainer_save(get(), path.c_str())); }
    void save_stream(stream_writer write) const {
        detail::save_stream(ddaebm_trainer_save_stream, get(), std::move(write));
    }
    std::vector<unsigned char> save_memory() const {
        return detail::save_memory(ddaebm_trainer_save_memory, get());
    }
    ddaebm::model snapshot() {
        ddaebm_model *made = nullptr;
        check(ddaebm_trainer_snapshot(&made, get()));
        return ddaebm::model(made);
    }

    ddaebm_step_statistics step() {
        ddaebm_step_statistics statistics = DDAEBM_STEP_STATISTICS_INIT;
        check(ddaebm_trainer_step(get(), &statistics));
        return statistics;
    }
    /// To the end of the configured run.
    void run(progress function = nullptr) {
        check(ddaebm_trainer_run(get(), function ? &trainer::report : nullptr, &function));
    }
    void run_until(std::uint64_t last, progress function = nullptr) {
        check(ddaebm_trainer_run_until(get(), last, function ? &trainer::report : nullptr,
                                       &function));
    }

    void energy_gradients() { check(ddaebm_trainer_energy_gradients(get())); }
    void energy_update() { check(ddaebm_trainer_energy_update(get())); }
    void generator_gradients() { check(ddaebm_trainer_generator_gradients(get())); }
    ddaebm_step_statistics generator_update() {
        ddaebm_step_statistics statistics = DDAEBM_STEP_STATISTICS_INIT;
        check(ddaebm_trainer_generator_update(get(), &statistics));
        return statistics;
    }
    /// nullptr for none.
    void set_gradient_hook(gradient_hook function) {
        std::unique_ptr<gradient_hook> own(function ? new gradient_hook(std::move(function))
                                                    : nullptr);
        check(ddaebm_trainer_set_gradient_hook(get(), own ? &trainer::pass : nullptr, own.get()));
        gradient_hook_ = std::move(own);
    }
    /// nullptr for none.
    void set_sample_hook(sample_hook function) {
        std::unique_ptr<sample_hook> own(function ? new sample_hook(std::move(function)) : nullptr);
        check(ddaebm_trainer_set_sample_hook(get(), own ? &trainer::pass_samples : nullptr,
                                             own.get()));
        sample_hook_ = std::move(own);
    }
    void set_last_step(std::uint64_t steps) { check(ddaebm_trainer_set_last_step(get(), steps)); }
    void set_rate_factor(const std::string &prefix, double factor) {
        check(ddaebm_trainer_set_rate_factor(get(), prefix.c_str(), factor));
    }
    double rate(const std::string &name) const {
        double value = 0;
        check(ddaebm_trainer_rate(get(), name.c_str(), &value));
        return value;
    }
    /// The data must outlive the trainer, or the next replacement.
    void set_dataset(const dataset &data) { check(ddaebm_trainer_set_dataset(get(), data.get())); }
    void set_shard(std::size_t index, std::size_t count) {
        check(ddaebm_trainer_set_shard(get(), index, count));
    }
    /// The model in training, its weights as they are now.
    model_view model() const { return model_view(ddaebm_trainer_model(get())); }
    /// The trainer's array, valid as long as it.
    span<float> weights(ddaebm_network network) { return view(ddaebm_trainer_weights, network); }
    span<float> gradients(ddaebm_network network) {
        return view(ddaebm_trainer_gradients, network);
    }

    std::uint64_t seed() const { return ddaebm_trainer_seed(get()); }
    std::uint64_t steps() const { return ddaebm_trainer_steps(get()); }
    config_view config() const { return config_view(ddaebm_trainer_config(get())); }

  private:
    static int report(void *user, const ddaebm_step_statistics *statistics, std::uint64_t last) {
        const progress &function = *static_cast<const progress *>(user);
        return detail::guarded([&] { return function(*statistics, last); }) ? 0 : 1;
    }
    static ddaebm_status pass(void *user, ddaebm_network network, float *gradients,
                              std::size_t elements) {
        const gradient_hook &function = *static_cast<const gradient_hook *>(user);
        const bool good = detail::guarded([&] {
            function(network, span<float>(gradients, elements));
            return true;
        });
        return good ? DDAEBM_OK : DDAEBM_CANCELLED;
    }
    static ddaebm_status pass_samples(void *user, const ddaebm_generated_batch *batch,
                                      float *gradients) {
        const sample_hook &function = *static_cast<const sample_hook *>(user);
        const bool good = detail::guarded([&] {
            function(*batch, span<float>(gradients, batch->count * batch->width));
            return true;
        });
        return good ? DDAEBM_OK : DDAEBM_CANCELLED;
    }
    span<float> view(ddaebm_status (*read)(ddaebm_trainer *, ddaebm_network, float **,
                                           std::size_t *),
                     ddaebm_network network) {
        float *values = nullptr;
        std::size_t elements = 0;
        check(read(get(), network, &values, &elements));
        return span<float>(values, elements);
    }
    std::unique_ptr<gradient_hook> gradient_hook_;
    std::unique_ptr<sample_hook> sample_hook_;
};

/// Trains a model from random weights to the end of its configured run.
inline model train(config_view config, const dataset &data, std::uint64_t seed,
                   trainer::progress function = nullptr, context_view context = nullptr) {
    struct adapter {
        static int report(void *user, const ddaebm_step_statistics *statistics,
                          std::uint64_t last) {
            const trainer::progress &call = *static_cast<const trainer::progress *>(user);
            return detail::guarded([&] { return call(*statistics, last); }) ? 0 : 1;
        }
    };
    ddaebm_model *made = nullptr;
    check(ddaebm_train(&made, context.get(), config.get(), data.get(), seed,
                       function ? &adapter::report : nullptr, &function));
    return model(made);
}

namespace detail {

inline std::size_t elements_of(const std::vector<std::size_t> &shape) {
    std::size_t elements = 1;
    for (std::size_t size : shape)
        elements *= size;
    return elements;
}

} // namespace detail

/// Writes an array; shape: slowest axis first.
inline void write_npy(const std::string &path, span<const float> values,
                      const std::vector<std::size_t> &shape, context_view context = nullptr) {
    detail::expect(values.size(), detail::elements_of(shape));
    check(ddaebm_array_write_npy(context.get(), path.c_str(), values.data(), shape.size(),
                                 shape.data()));
}
inline void write_npy(const std::string &path, span<const double> values,
                      const std::vector<std::size_t> &shape, context_view context = nullptr) {
    detail::expect(values.size(), detail::elements_of(shape));
    check(ddaebm_array_write_npy_double(context.get(), path.c_str(), values.data(), shape.size(),
                                        shape.data()));
}

/// Writes a file of rows block by block. Unless it is finished, no file is left.
class row_writer : public detail::handle<ddaebm_row_writer, ddaebm_row_writer_free> {
  public:
    /// shape: the number of rows, then the shape of a row.
    row_writer(const std::string &path, const ddaebm_row_options &options,
               const std::vector<std::size_t> &shape, context_view context = nullptr)
        : row_writer(open(path, options, shape, context),
                     shape.empty() || shape[0] == 0 ? 1 : detail::elements_of(shape) / shape[0]) {}
    /// Adopts a writer whose rows have so many numbers.
    row_writer(ddaebm_row_writer *owned, std::size_t width) noexcept
        : handle(owned), width_(width) {}

    void append(span<const float> rows) {
        check(ddaebm_row_writer_append(get(), rows.data(), detail::rows_of(rows.size(), width_)));
    }
    void append(span<const double> rows) {
        check(ddaebm_row_writer_append_double(get(), rows.data(),
                                              detail::rows_of(rows.size(), width_)));
    }
    void finish() { check(ddaebm_row_writer_finish(get())); }

  private:
    static ddaebm_row_writer *open(const std::string &path, const ddaebm_row_options &options,
                                   const std::vector<std::size_t> &shape, context_view context) {
        ddaebm_writer to = DDAEBM_WRITER_INIT;
        to.path = path.c_str();
        return make(ddaebm_row_writer_create, context.get(), &to, &options, shape.size(),
                    shape.data());
    }
    std::size_t width_;
};

/// Adds windows, from number `first` on, to the weighted means of a series.
inline void add_windows(const ddaebm_windows &shape, span<const double> rows, std::size_t first,
                        span<double> series, span<double> weights) {
    detail::expect(series.size(), shape.samples * shape.channels);
    detail::expect(weights.size(), shape.samples);
    check(ddaebm_windows_add(&shape, rows.data(), first,
                             detail::rows_of(rows.size(), shape.window * shape.channels),
                             series.data(), weights.data()));
}

/// Writes a series [samples, channels] as WAV.
inline void write_wav(const std::string &path, span<const double> series, std::size_t channels,
                      std::size_t rate, context_view context = nullptr) {
    check(ddaebm_series_write_wav(context.get(), path.c_str(), series.data(),
                                  detail::rows_of(series.size(), channels), channels, rate));
}

inline void write_png(const std::string &path, span<const std::uint8_t> pixels, image_shape shape,
                      context_view context = nullptr) {
    detail::expect(pixels.size(), shape.height * shape.width * shape.channels);
    check(ddaebm_array_write_png(context.get(), path.c_str(), pixels.data(), shape.height,
                                 shape.width, shape.channels));
}

} // namespace ddaebm

#endif
