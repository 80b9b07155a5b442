// `sojourn import`: what the system before knew, through the log like everything else.

#include "runtime/commands/commands.hpp"

#include "runtime/commands/installation.hpp"
#include "runtime/imports/import_rows.hpp"
#include "runtime/imports/import_sender.hpp"
#include "runtime/listener/local_socket.hpp"
#include "runtime/printable.hpp"
#include "runtime/service.hpp"
#include "schema/csv_reader.hpp"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <unistd.h>

namespace runtime {
namespace {

using Steady = std::chrono::steady_clock;

struct Options {
    std::string kind, file, config = "config/sojourn.yaml", rejects;
    bool dry_run = false;
};

constexpr std::size_t rejects_shown_max = 100;
/// A million customers that were read in half a minute take longer to write.
constexpr auto writes_within = std::chrono::minutes{30};

/// Lines that were refused: the first ones on stderr, all of them in a file where one is wanted.
class RejectedLines {
public:
    explicit RejectedLines(const Options& options) : name_(options.file) {
        if (!options.rejects.empty()) file_.open(options.rejects);
    }
    bool is_writable(const Options& options) const {
        return options.rejects.empty() || file_.is_open();
    }
    void add(std::uint64_t line, const std::string& why) {
        const auto text = name_ + ':' + std::to_string(line) + ": " + printable(why);
        if (file_.is_open()) file_ << text << '\n';
        // On a terminal the progress bar stands on this line.
        if (++count_ <= rejects_shown_max)
            std::fprintf(stderr, "%s%s\n", ::isatty(STDERR_FILENO) ? "\r\033[K" : "", text.c_str());
        if (count_ == rejects_shown_max + 1)
            std::fprintf(stderr, "… more; --rejects FILE keeps them all\n");
    }
    std::uint64_t count() const { return count_; }

private:
    std::string name_;
    std::ofstream file_;
    std::uint64_t count_ = 0;
};

/// A bar that is written over, on a terminal only.
class ProgressBar {
public:
    explicit ProgressBar(std::uintmax_t bytes) : bytes_(bytes) {}

    void show(std::uint64_t bytes, std::uint64_t rows, std::uint64_t rejected) {
        if (!is_terminal_) return;
        const auto now = Steady::now();
        if (now - shown_ < std::chrono::milliseconds{100}) return;
        shown_ = now;
        print(bytes, rows, rejected, '\r');
    }
    void finish(std::uint64_t rows, std::uint64_t rejected) const {
        if (is_terminal_) print(bytes_, rows, rejected, '\n');
    }

private:
    void print(std::uint64_t bytes, std::uint64_t rows, std::uint64_t rejected, char end) const {
        constexpr int width = 30;
        const double share =
            bytes_ == 0 ? 1.0
                        : std::min(1.0, static_cast<double>(bytes) / static_cast<double>(bytes_));
        const auto filled = static_cast<int>(share * width);
        const std::chrono::duration<double> took = Steady::now() - began_;
        std::fprintf(stderr, "[%.*s%.*s] %3.0f %%  %llu rows  %.0f/s  %llu rejected  %c", filled,
                     "##############################", width - filled,
                     "                              ", share * 100,
                     static_cast<unsigned long long>(rows),
                     static_cast<double>(rows) / std::max(took.count(), 1e-3),
                     static_cast<unsigned long long>(rejected), end);
    }

    std::uintmax_t bytes_;
    bool is_terminal_ = ::isatty(STDERR_FILENO) != 0;
    Steady::time_point began_ = Steady::now(), shown_{};
};

/// Who takes the rows: the service that runs, or one that is started for as long as this takes.
class Target {
public:
    /// The socket to send to; or what hinders.
    journeys::Result<std::filesystem::path> open(const Options& options,
                                                 const Installation& installation) {
        const auto socket = installation.socket();
        if (ask_service(socket, "GET", "/healthz")) return socket;
        if (!installation.config.storage.url.is_empty())
            return journeys::Error{journeys::ErrorCode::unavailable,
                                   "no service answers at " + socket.string() +
                                       "; with storage.url start it first: one more would take its "
                                       "partitions away"};
        std::fprintf(stderr, "no service runs; one is started for the import\n");
        std::vector<schema::Mistake> mistakes;
        ServiceOptions serving;
        serving.config = options.config;
        serving.port = 0;
        serving.shutdown_timeout = writes_within;
        auto started = Service::start(serving, mistakes);
        if (!started) return started.error();
        service_ = std::move(*started);
        for (int i = 0; i < 600; ++i) { // Partitions are being taken over.
            if (ask_service(socket, "GET", "/readyz")) return socket;
            ::usleep(100'000);
        }
        return journeys::Error{journeys::ErrorCode::unavailable, "the service does not get ready"};
    }
    bool is_own() const { return service_ != nullptr; }
    bool close() { return !service_ || service_->stop(); }

private:
    std::unique_ptr<Service> service_;
};

int import(const Options& options) {
    int failure = exit_done;
    const auto found = find_installation(options.config, failure);
    if (!found) return failure;
    std::ifstream file{options.file, std::ios::binary};
    std::error_code no_size;
    const auto bytes = std::filesystem::file_size(options.file, no_size);
    if (!file || std::filesystem::is_directory(options.file)) {
        std::fprintf(stderr, "%s: cannot be read\n", options.file.c_str());
        return exit_input;
    }
    auto table = schema::CsvReader::open(file);
    if (!table) {
        std::fprintf(stderr, "%s:1: %s\n", options.file.c_str(), table.error().detail.c_str());
        return exit_input;
    }
    auto rows =
        open_import(options.kind, *table, found->config.settings,
                    std::chrono::floor<journeys::Duration>(std::chrono::system_clock::now()));
    if (!rows) {
        std::fprintf(stderr, "%s:1: %s\n", options.file.c_str(), rows.error().detail.c_str());
        return exit_input;
    }
    RejectedLines rejected{options};
    if (!rejected.is_writable(options)) {
        std::fprintf(stderr, "%s: cannot be written\n", options.rejects.c_str());
        return exit_usage;
    }
    Target target;
    std::filesystem::path socket;
    if (!options.dry_run) {
        const auto opened = target.open(options, *found);
        if (!opened) {
            std::fprintf(stderr, "sojourn: %s\n", opened.error().detail.c_str());
            return exit_environment;
        }
        socket = *opened;
    }

    const auto began = Steady::now();
    ProgressBar bar{no_size ? 0 : bytes};
    std::uint64_t read = 0;
    const bool is_of_products = options.kind == "products";
    ImportSender sender{
        socket, [&](std::uint64_t line, const std::string& why) { rejected.add(line, why); },
        is_of_products ? "/v1/products" : "/admin/import", is_of_products ? "products" : "batch"};
    std::string text;
    while (true) {
        const auto row = table->next();
        if (row == schema::CsvReader::Row::end) break;
        ++read;
        text.clear();
        if (row == schema::CsvReader::Row::bad) {
            rejected.add(table->line(), table->why());
        } else if (const auto made = (*rows)->append(*table, text); !made) {
            rejected.add(table->line(), made.error().detail);
        } else if (!sender.add(table->line(), text, *made, (*rows)->suppression())) {
            break;
        }
        bar.show(table->bytes(), read, rejected.count());
    }
    const auto sent = sender.finish();
    bar.finish(read, rejected.count());
    const std::chrono::duration<double> took = Steady::now() - began;
    if (!sent) {
        const bool is_passing = sent.error().code == journeys::ErrorCode::unavailable;
        std::fprintf(stderr, "sojourn: %s%s\n", sent.error().detail.c_str(),
                     is_passing ? "; run the same import again, nothing counts twice" : "");
    } else {
        std::printf("%s %llu rows  imported %llu  rejected %llu  seconds %.1f%s\n",
                    options.kind.c_str(), static_cast<unsigned long long>(read),
                    static_cast<unsigned long long>(read - rejected.count()),
                    static_cast<unsigned long long>(rejected.count()), took.count(),
                    options.dry_run ? "  (dry run: nothing was sent)" : "");
        std::fflush(stdout);
    }
    if (target.is_own()) std::fprintf(stderr, "the service writes its customers, and ends\n");
    if (!target.close()) {
        std::fprintf(stderr, "sojourn: the service did not stop in time; what was acknowledged is "
                             "in the log\n");
        std::_Exit(exit_environment);
    }
    if (!sent) return exit_environment;
    return rejected.count() == 0 ? exit_done : exit_input;
}

} // namespace

void add_import(CLI::App& app, int& exit_code) {
    auto* const command =
        app.add_subcommand("import", "What the system before knew: orders, consent, suppressed "
                                     "addresses, products. The same file "
                                     "again changes nothing");
    command->require_subcommand(1);
    for (const auto* kind : {"orders", "consent", "suppressions", "products"}) {
        const auto options = std::make_shared<Options>();
        options->kind = kind;
        auto* const one = command->add_subcommand(kind, "A table of " + std::string{kind});
        one->footer(
            "Columns, by the names in the header, in any order" +
            std::string{options->kind == "products" ? ":\n" : "; others are not looked at:\n"} +
            std::string{import_columns(kind)});
        one->add_option("file", options->file,
                        "Comma-separated (or ; or tab), UTF-8, a header first")
            ->required();
        one->add_option("--rejects", options->rejects, "Where to write every refused line and why");
        one->add_flag("--dry-run", options->dry_run, "Only read and check the table");
        one->add_option("--config", options->config, "The configuration")->capture_default_str();
        one->callback([options, &exit_code] { exit_code = import(*options); });
    }
}

} // namespace runtime
