// `sojourn send`: recorded events, pushed over WebSocket as a shop would push them.

#include "runtime/commands/commands.hpp"
#include "runtime/printable.hpp"
#include "runtime/producer/message_text.hpp"
#include "runtime/producer/stream_producer.hpp"
#include "schema/message_json.hpp"
#include "schema/timestamp_text.hpp"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <unistd.h>

namespace runtime {
namespace {

using Steady = std::chrono::steady_clock;

struct Options {
    std::string url = "ws://127.0.0.1:8080/v1/stream", key = "demo", file, rebase;
    double rate = 0;  ///< Events a second; 0: as fast as the service takes them.
    double speed = 0; ///< Of the service's clock; 0: ask the service.
    std::size_t frame = 100, in_flight = 64;
    std::size_t frame_bytes = schema::Limits{}.frame_bytes_max;
    unsigned patience_s = 30;
};

/// Where the service's clock stands, and how fast it goes.
struct ServiceTime {
    journeys::Timestamp now;
    double speed = 1;
};

ServiceTime ask_service_time(const StreamUrl& url) {
    ServiceTime time{std::chrono::floor<journeys::Duration>(std::chrono::system_clock::now())};
    const auto body = get_from_host(url, "/healthz");
    if (!body) return time; // The connection that follows says what is wrong.
    const auto health = nlohmann::json::parse(*body, nullptr, false);
    if (!health.is_object()) return time;
    if (const auto at = schema::parse_producer_time(health.value("service_time", "")))
        time.now = *at;
    time.speed = health.value("clock_speed", 1.0);
    return time;
}

/// Lines that are not sent, said on stderr.
class RefusedLines {
public:
    explicit RefusedLines(std::string file) : file_(std::move(file)) {}

    void say(std::uint64_t line, const std::string& why) {
        if (++count_ <= shown_max)
            std::fprintf(stderr, "%s:%llu: %s\n", file_.c_str(),
                         static_cast<unsigned long long>(line), why.c_str());
    }
    void finish() const {
        if (count_ > shown_max)
            std::fprintf(stderr, "… and %llu more\n",
                         static_cast<unsigned long long>(count_ - shown_max));
    }
    std::uint64_t count() const { return count_; }

private:
    static constexpr std::uint64_t shown_max = 20;
    const std::string file_;
    std::uint64_t count_ = 0;
};

/// Makes frames of a file's lines: ids where there are none, times moved, and when each is due.
class Frames {
public:
    Frames(std::istream& lines, const Options& options, std::optional<ServiceTime> rebase,
           RefusedLines& refused)
        : lines_(lines), options_(options), rebase_(rebase), refused_(refused),
          began_(Steady::now()) {
        std::random_device device;
        char text[40];
        std::snprintf(text, sizeof text, "send-%08x%08x-", device(), device());
        id_prefix_ = text;
    }

    std::optional<StreamProducer::Frame> next() {
        StreamProducer::Frame frame;
        frame.text = "[";
        while (frame.messages < options_.frame) {
            if (!line_ && !read_line()) break;
            const auto due = due_of(*line_);
            // A frame leaves when its first message is due; one that is due later waits for a later
            // frame.
            if (frame.messages == 0)
                frame.due = due;
            else if (rebase_ && due > frame.due + std::chrono::milliseconds{20})
                break;
            const auto text = text_.rewrite(*line_, shift_, id_prefix_ + std::to_string(count_));
            constexpr std::size_t comma_and_end = 2;
            if (frame.messages != 0 &&
                frame.text.size() + text.size() + comma_and_end > options_.frame_bytes)
                break;
            if (frame.messages != 0) frame.text += ',';
            frame.text += text;
            ++frame.messages;
            ++count_;
            line_.reset();
        }
        if (frame.messages == 0) return std::nullopt;
        frame.text += ']';
        return frame;
    }

    bool has_failed() const { return lines_.bad(); }

private:
    bool read_line() {
        constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
        std::string line;
        while (std::getline(lines_, line)) {
            ++number_;
            if (line.starts_with(byte_order_mark)) line.erase(0, byte_order_mark.size());
            if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
            // An id may be added, and a time be written longer.
            constexpr std::size_t added_bytes_max = 256;
            if (line.size() + added_bytes_max > options_.frame_bytes) {
                refused_.say(number_, "longer than a frame may be");
                continue;
            }
            if (const auto fault = text_.fault_of(line)) {
                refused_.say(number_, *fault);
                continue;
            }
            line_ = std::move(line);
            return true;
        }
        return false;
    }

    Steady::time_point due_of(const std::string& line) {
        auto due = began_;
        if (options_.rate > 0)
            due += std::chrono::duration_cast<Steady::duration>(
                std::chrono::duration<double>(static_cast<double>(count_) / options_.rate));
        if (!rebase_) return due;
        const auto at = text_.time_of(line);
        if (!at) return due;
        if (!first_) {
            first_ = *at;
            shift_ = rebase_->now - *at;
        }
        const std::chrono::duration<double, std::milli> after = *at - *first_;
        return std::max(
            due, began_ + std::chrono::duration_cast<Steady::duration>(after / rebase_->speed));
    }

    std::istream& lines_;
    const Options& options_;
    std::optional<ServiceTime> rebase_;
    RefusedLines& refused_;
    Steady::time_point began_;
    MessageText text_;
    std::string id_prefix_;
    std::optional<std::string> line_; ///< Read, and in no frame yet.
    std::optional<journeys::Timestamp> first_;
    journeys::Duration shift_{0};
    std::uint64_t count_ = 0;  ///< Messages in frames so far.
    std::uint64_t number_ = 0; ///< Of the line that was read last.
};

/// One line that is written over, on a terminal only.
class Progress {
public:
    void show(const StreamProducer::Totals& totals) {
        if (!is_terminal_) return;
        const auto now = Steady::now();
        if (now - shown_ < std::chrono::milliseconds{200}) return;
        shown_ = now;
        print(totals, '\r');
    }
    void finish(const StreamProducer::Totals& totals) {
        if (is_terminal_) print(totals, '\n');
    }

private:
    void print(const StreamProducer::Totals& totals, char end) const {
        const std::chrono::duration<double> took = Steady::now() - began_;
        std::fprintf(stderr, "%12llu acked  %10.0f/s  %llu rejected   %c",
                     static_cast<unsigned long long>(totals.messages),
                     static_cast<double>(totals.messages) / std::max(took.count(), 1e-3),
                     static_cast<unsigned long long>(totals.rejected), end);
    }

    bool is_terminal_ = ::isatty(STDERR_FILENO) != 0;
    Steady::time_point began_ = Steady::now(), shown_{};
};

int send(const Options& options) {
    const auto url = parse_stream_url(options.url);
    if (!url) {
        std::fprintf(stderr, "--url: %s\n", url.error().detail.c_str());
        return exit_usage;
    }
    std::ifstream file;
    if (options.file != "-") {
        file.open(options.file);
        if (!file) {
            std::fprintf(stderr, "%s: cannot be read\n", options.file.c_str());
            return exit_input;
        }
    }
    std::optional<ServiceTime> rebase;
    if (!options.rebase.empty()) {
        rebase = ask_service_time(*url);
        if (options.speed > 0) rebase->speed = options.speed;
    }

    RefusedLines refused{options.file};
    Frames frames{options.file == "-" ? std::cin : file, options, rebase, refused};
    Progress progress;
    constexpr int rejects_shown_max = 20;
    int rejects_shown = 0;
    const auto began = Steady::now();
    const StreamProducer::Options producing{.url = *url,
                                            .write_key = options.key,
                                            .frames_in_flight = options.in_flight,
                                            .patience = std::chrono::seconds{options.patience_s}};
    const auto with_refused = [&](StreamProducer::Totals totals) {
        totals.rejected += refused.count();
        return totals;
    };
    auto totals = StreamProducer::run(
        producing,
        {.next = [&] { return frames.next(); },
         .rejected =
             [&](std::string_view answer) {
                 if (++rejects_shown <= rejects_shown_max)
                     std::fprintf(stderr, "rejected: %s\n",
                                  printable(answer.substr(0, 2000)).c_str());
             },
         .progress =
             [&](const StreamProducer::Totals& so_far) { progress.show(with_refused(so_far)); },
         .lost =
             [](std::string_view why) {
                 std::fprintf(stderr, "connection lost, trying again: %s\n",
                              printable(why).c_str());
             }});
    refused.finish();
    if (!totals) {
        std::fprintf(stderr, "%s\n", totals.error().detail.c_str());
        return totals.error().code == journeys::ErrorCode::unauthorized ? exit_input
                                                                        : exit_environment;
    }
    totals = with_refused(*totals);
    progress.finish(*totals);
    const std::chrono::duration<double> took = Steady::now() - began;
    std::printf("sent %llu  accepted %llu  rejected %llu  frames %llu  resent %llu  seconds %.3f\n",
                static_cast<unsigned long long>(totals->messages),
                static_cast<unsigned long long>(totals->accepted),
                static_cast<unsigned long long>(totals->rejected),
                static_cast<unsigned long long>(totals->frames),
                static_cast<unsigned long long>(totals->resent), took.count());
    if (frames.has_failed()) {
        std::fprintf(stderr, "%s: reading failed\n", options.file.c_str());
        return exit_input;
    }
    return totals->rejected == 0 ? exit_done : exit_input;
}

} // namespace

void add_send(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<Options>();
    auto* command =
        app.add_subcommand("send", "Pushes recorded events over WebSocket, as a producer does");
    command
        ->add_option("file", options->file,
                     "Segment messages, one JSON object a line; - reads stdin")
        ->required();
    command->add_option("--url", options->url, "ws://host[:port][/path]")->capture_default_str();
    command->add_option("--write-key", options->key, "The producer's key")->capture_default_str();
    command->add_option("--rate", options->rate, "Events a second; 0 is as fast as they are taken")
        ->check(CLI::NonNegativeNumber);
    command
        ->add_option("--rebase", options->rebase,
                     "now: move the first event to the service's present, and keep the spacing")
        ->check(CLI::IsMember({"now"}));
    command
        ->add_option("--speed", options->speed,
                     "Of the service's clock; by default the service is asked")
        ->check(CLI::PositiveNumber);
    command->add_option("--frame", options->frame, "Messages in one frame, at most")
        ->check(CLI::Range(1, 2500))
        ->capture_default_str();
    command
        ->add_option("--frame-bytes", options->frame_bytes,
                     "Bytes of one frame, at most; what the service takes (limits.frame)")
        ->check(CLI::Range(1000, 64'000'000))
        ->capture_default_str();
    command->add_option("--in-flight", options->in_flight, "Frames sent and not yet acked, at most")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    command->add_option("--patience", options->patience_s, "Seconds to go on without a connection")
        ->capture_default_str();
    command->callback([options, &exit_code] { exit_code = send(*options); });
}

} // namespace runtime
