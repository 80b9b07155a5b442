/// Structured logs, one line each, on stderr: what happened, and its facts as fields.
///
/// No personal data: a field holds ids, counts, names of the configuration, codes and times. Never
/// traits, addresses, contents of messages, keys.
#pragma once

#include "journeys/ids.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

namespace runtime {

enum class LogFormat { text, json };
enum class LogLevel { debug, info, warning, error, off };

struct LogField {
    std::string_view name;
    std::string value;

    LogField(std::string_view own, std::string text) : name(own), value(std::move(text)) {}
    LogField(std::string_view own, std::string_view text) : name(own), value(text) {}
    LogField(std::string_view own, const char* text) : name(own), value(text) {}
    template <class Number>
    requires std::is_arithmetic_v<Number> LogField(std::string_view own, Number number)
        : name(own), value(std::to_string(number)) {}
};
/// A customer as a log may name them: of an id that is an address only its hash.
std::string log_text(const journeys::CustomerId& customer);

using LogFields = std::initializer_list<LogField>;

/// May be used from any thread.
class Log {
public:
    using Clock = std::function<std::chrono::steady_clock::time_point()>;

    /// `write` takes finished lines instead of stderr, and `now` is what repetitions are timed by;
    /// for tests.
    explicit Log(LogFormat format = LogFormat::text, LogLevel level = LogLevel::info,
                 std::function<void(std::string_view)> write = {},
                 Clock now = std::chrono::steady_clock::now);
    ~Log();

    void debug(std::string_view text, LogFields fields = {}) {
        line(LogLevel::debug, text, fields);
    }
    void info(std::string_view text, LogFields fields = {}) { line(LogLevel::info, text, fields); }
    void warning(std::string_view text, LogFields fields = {}) {
        line(LogLevel::warning, text, fields);
    }
    void error(std::string_view text, LogFields fields = {}) {
        line(LogLevel::error, text, fields);
    }

    /// A warning that may come a thousand times a second: one line per `text` and ten seconds, with
    /// how many were left out since the one before as `repeated`.
    void repeated_warning(std::string_view text, LogFields fields = {});

private:
    void line(LogLevel level, std::string_view text, LogFields fields, std::uint64_t repeated = 0);

    struct Sink;
    std::unique_ptr<Sink> sink_;
};

} // namespace runtime
