#include "runtime/log.hpp"

#include "runtime/printable.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <mutex>

namespace runtime {
namespace {

constexpr std::chrono::seconds repeat_interval{10};
constexpr std::size_t repeated_texts_max = 1000;

spdlog::level::level_enum to_spdlog(LogLevel level) {
    switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::off: return spdlog::level::off;
    }
    return spdlog::level::off;
}

std::string json_quoted(std::string_view text) {
    return printable(
        nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

/// As it stands where it can't be misread, else as a JSON string: one line stays one line.
std::string plain_or_quoted(const std::string& text) {
    const bool is_plain = !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
        return c > ' ' && c != '"' && c != '=' && c != '\\' && c < 0x7f;
    });
    return is_plain ? text : json_quoted(text);
}

/// Hands lines on without time and level.
class LineSink final : public spdlog::sinks::base_sink<std::mutex> {
public:
    explicit LineSink(std::function<void(std::string_view)> write) : write_(std::move(write)) {}

private:
    void sink_it_(const spdlog::details::log_msg& message) override {
        write_({message.payload.data(), message.payload.size()});
    }
    void flush_() override {}
    std::function<void(std::string_view)> write_;
};

/// What knows of no log, the parts below the service among them, speaks through spdlog's default
/// logger: its lines become those of this log.
class AdoptingSink final : public spdlog::sinks::base_sink<std::mutex> {
public:
    AdoptingSink(std::shared_ptr<spdlog::logger> logger, LogFormat format)
        : logger_(std::move(logger)), format_(format) {}

private:
    void sink_it_(const spdlog::details::log_msg& message) override {
        const std::string text{message.payload.data(), message.payload.size()};
        logger_->log(message.level, "{}",
                     format_ == LogFormat::json ? "\"text\":" + json_quoted(text)
                                                : printable(text));
    }
    void flush_() override { logger_->flush(); }

    std::shared_ptr<spdlog::logger> logger_;
    LogFormat format_;
};

} // namespace

struct Log::Sink {
    LogFormat format;
    Clock now;
    std::shared_ptr<spdlog::logger> logger;

    struct Repetition {
        std::chrono::steady_clock::time_point written{};
        std::uint64_t left_out = 0;
    };
    std::mutex mutex; ///< Guards `repetitions`.
    std::map<std::string, Repetition, std::less<>> repetitions;
};

Log::Log(LogFormat format, LogLevel level, std::function<void(std::string_view)> write, Clock now)
    : sink_(std::make_unique<Sink>()) {
    sink_->format = format;
    sink_->now = std::move(now);
    if (write) {
        auto sink = std::make_shared<LineSink>(std::move(write));
        sink_->logger = std::make_shared<spdlog::logger>("sojourn", std::move(sink));
    } else {
        sink_->logger = std::make_shared<spdlog::logger>(
            "sojourn", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    }
    sink_->logger->set_level(to_spdlog(level));
    sink_->logger->flush_on(spdlog::level::warn);
    // The time is the wall's; service time is a field where it matters.
    sink_->logger->set_pattern(format == LogFormat::json
                                   ? R"({"at":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                   : "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v",
                               spdlog::pattern_time_type::utc);
    if (!write) {
        spdlog::set_default_logger(std::make_shared<spdlog::logger>(
            "sojourn", std::make_shared<AdoptingSink>(sink_->logger, format)));
    }
}

Log::~Log() = default;

void Log::line(LogLevel level, std::string_view text, LogFields fields, std::uint64_t repeated) {
    const auto at = to_spdlog(level);
    if (!sink_->logger->should_log(at)) return;
    std::string line;
    if (sink_->format == LogFormat::json) {
        line = "\"text\":" + json_quoted(text);
        for (const auto& field : fields)
            line.append(",")
                .append(json_quoted(field.name))
                .append(":")
                .append(json_quoted(field.value));
        if (repeated != 0) line.append(",\"repeated\":").append(std::to_string(repeated));
    } else {
        line = printable(text);
        for (const auto& field : fields)
            line.append(" ").append(field.name).append("=").append(plain_or_quoted(field.value));
        if (repeated != 0) line.append(" repeated=").append(std::to_string(repeated));
    }
    sink_->logger->log(at, spdlog::string_view_t{line.data(), line.size()});
}

void Log::repeated_warning(std::string_view text, LogFields fields) {
    std::uint64_t left_out = 0;
    {
        const std::lock_guard lock{sink_->mutex};
        auto& all = sink_->repetitions;
        const auto now = sink_->now();
        auto known = all.find(text);
        if (known == all.end()) {
            if (all.size() >= repeated_texts_max) all.clear();
            all.emplace(std::string{text}, Sink::Repetition{.written = now});
        } else if (now - known->second.written < repeat_interval) {
            ++known->second.left_out;
            return;
        } else {
            left_out = std::exchange(known->second.left_out, 0);
            known->second.written = now;
        }
    }
    line(LogLevel::warning, text, fields, left_out);
}

std::string log_text(const journeys::CustomerId& customer) {
    using journeys::IdNamespace;
    const bool is_address = customer.space == IdNamespace::email ||
                            customer.space == IdNamespace::phone ||
                            customer.value.find('@') != std::string::npos;
    if (!is_address) return journeys::to_text(customer);
    return std::string{to_text(customer.space)} + ":#" +
           journeys::to_hex(0, journeys::hash(journeys::to_text(customer))).substr(16);
}

} // namespace runtime
