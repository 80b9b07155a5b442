#include "runtime/postgres/embedded.hpp"

#include "journeys/ids.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <vector>

namespace runtime {
namespace {

namespace fs = std::filesystem;
using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

constexpr std::size_t socket_path_max = 107;
constexpr std::string_view socket_file = "/.s.PGSQL.5432";

Error unavailable(std::string detail) { return Error{ErrorCode::unavailable, std::move(detail)}; }

struct User {
    uid_t uid;
    gid_t gid;
};

/// Whom the server runs as where we are root, which PostgreSQL refuses to be.
std::optional<User> server_user() {
    if (::geteuid() != 0) return std::nullopt;
    for (const char* name : {"postgres", "nobody"})
        if (const auto* entry = ::getpwnam(name)) return User{entry->pw_uid, entry->pw_gid};
    return User{65534, 65534};
}

struct Finished {
    int status = -1;
    std::string output;
};

/// Runs a program as the server's user with a plain environment, and waits for its end. What it
/// says goes to a pipe, except where `quiet`: a server that stays would keep the pipe open.
Finished run(const std::vector<std::string>& command, bool quiet = false) {
    std::array<int, 2> pipe_ends{};
    if (::pipe2(pipe_ends.data(), O_CLOEXEC) != 0) return {};
    std::vector<char*> arguments;
    for (const auto& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
    arguments.push_back(nullptr);
    const char* environment[] = {"LC_ALL=C", "PATH=/usr/bin:/bin", "TZ=UTC", nullptr};
    const auto user = server_user();
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);

    const pid_t child = ::fork();
    if (child == 0) { // Only calls that are safe between fork and exec.
        ::setsid();   // A Ctrl-C at our terminal is ours, not the server's.
        ::dup2(nothing, 0);
        ::dup2(quiet ? nothing : pipe_ends[1], 1);
        ::dup2(quiet ? nothing : pipe_ends[1], 2);
        // Asio's sockets are inherited, and a server that outlives us would hold our port.
        ::close_range(3, ~0u, 0);
        if (user &&
            (::setgroups(0, nullptr) != 0 || ::setgid(user->gid) != 0 || ::setuid(user->uid) != 0))
            ::_exit(126);
        if (::chdir("/") != 0) ::_exit(126);
        ::execve(arguments[0], arguments.data(), const_cast<char* const*>(environment));
        ::_exit(127);
    }
    ::close(nothing);
    ::close(pipe_ends[1]);
    Finished finished;
    std::array<char, 4096> buffer;
    for (ssize_t size; (size = ::read(pipe_ends[0], buffer.data(), buffer.size())) != 0;) {
        if (size > 0)
            finished.output.append(buffer.data(), static_cast<std::size_t>(size));
        else if (errno != EINTR)
            break;
    }
    ::close(pipe_ends[0]);
    int status = 0;
    while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    finished.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return finished;
}

/// The line that says most: the last one of a program's errors.
std::string last_line(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    const auto start = text.rfind('\n');
    return start == text.npos ? text : text.substr(start + 1);
}

/// The folder of the newest server that is installed.
std::optional<fs::path> find_binaries() {
    const auto is_complete = [](const fs::path& folder) {
        return ::access((folder / "initdb").c_str(), X_OK) == 0 &&
               ::access((folder / "pg_ctl").c_str(), X_OK) == 0;
    };
    std::vector<std::pair<int, fs::path>> found;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{"/usr/lib/postgresql", ignored}) {
        const auto folder = entry.path() / "bin";
        if (is_complete(folder))
            found.emplace_back(std::atoi(entry.path().filename().c_str()), folder);
    }
    if (!found.empty()) return std::ranges::max_element(found)->second;
    if (::access("/usr/bin/pg_config", X_OK) == 0) {
        const auto asked = run({"/usr/bin/pg_config", "--bindir"});
        const fs::path folder{last_line(asked.output)};
        if (asked.status == 0 && is_complete(folder)) return folder;
    }
    return std::nullopt;
}

/// A folder for the server's user alone.
Result<void> make_folder(const fs::path& folder) {
    std::error_code problem;
    fs::create_directories(folder, problem);
    if (problem) return unavailable("cannot make " + folder.string() + ": " + problem.message());
    if (const auto user = server_user(); user && ::chown(folder.c_str(), user->uid, user->gid) != 0)
        return unavailable("cannot give " + folder.string() +
                           " to the server's user: " + std::strerror(errno));
    if (::chmod(folder.c_str(), 0700) != 0)
        return unavailable("cannot write to " + folder.string() + ": " + std::strerror(errno));
    return {};
}

/// The first folder on the way to `folder` that the server's user may not pass.
std::optional<fs::path> closed_parent(const fs::path& folder) {
    if (!server_user()) return std::nullopt;
    fs::path way;
    for (const auto& part : folder.parent_path()) {
        way /= part;
        struct stat info {};
        if (::stat(way.c_str(), &info) == 0 && S_ISDIR(info.st_mode) &&
            (info.st_mode & S_IXOTH) == 0 && info.st_uid != server_user()->uid)
            return way;
    }
    return std::nullopt;
}

/// In the data folder where that leaves the path short enough, else under /tmp by its hash.
fs::path socket_dir_for(const fs::path& data_dir) {
    if (data_dir.string().size() + socket_file.size() <= socket_path_max) return data_dir;
    const auto name = journeys::to_hex(0, journeys::hash(data_dir.string())).substr(16);
    return fs::path{"/tmp"} / ("sojourn-" + name);
}

int pid_in(const fs::path& data_dir) {
    std::ifstream file{data_dir / "postmaster.pid"};
    int pid = 0;
    file >> pid;
    return pid > 1 && ::kill(pid, 0) == 0 ? pid : 0;
}

Result<void> initialise(const fs::path& binaries, const fs::path& data_dir) {
    const auto made = run({binaries / "initdb", "-D", data_dir, "-U", "sojourn", "-A", "trust",
                           "-E", "UTF8", "--no-locale", "--no-instructions"});
    if (made.status != 0)
        return unavailable("PostgreSQL cannot make a cluster in " + data_dir.string() + ": " +
                           last_line(made.output));
    std::ofstream settings{data_dir / "postgresql.auto.conf", std::ios::app};
    settings << "listen_addresses = ''\n"
                "max_connections = 50\n"
                "shared_buffers = 256MB\n"
                "max_wal_size = 8GB\n"
                "checkpoint_timeout = 15min\n"
                "wal_compression = lz4\n"
                "wal_level = minimal\n"
                "max_wal_senders = 0\n"
                "log_destination = stderr\n"
                "logging_collector = on\n"
                "log_directory = log\n"
                "log_filename = 'postgresql-%a.log'\n" // One a weekday: bounded.
                "log_truncate_on_rotation = on\n"
                "log_rotation_size = 0\n"
                "log_statement = none\n"
                "log_min_error_statement = panic\n" // Statements may carry personal data.
                "log_error_verbosity = terse\n"
                "max_locks_per_transaction = 256\n"
                "unix_socket_permissions = 0700\n";
    settings.close();
    if (!settings) return unavailable("cannot write to " + data_dir.string());
    return {};
}

} // namespace

EmbeddedPostgres::EmbeddedPostgres(EmbeddedPostgres&& other) noexcept
    : data_dir_(std::exchange(other.data_dir_, {})), binaries_(other.binaries_),
      socket_dir_(other.socket_dir_), adopted_(other.adopted_) {}

Result<EmbeddedPostgres> EmbeddedPostgres::start(const fs::path& data_dir) {
    EmbeddedPostgres server;
    const auto binaries = find_binaries();
    if (!binaries)
        return unavailable(
            "no PostgreSQL server is installed (Debian: apt-get install postgresql), and no "
            "storage.url is configured");
    const auto cluster = fs::absolute(data_dir).lexically_normal() / "postgres";
    if (const auto parent = closed_parent(cluster))
        return unavailable("the server's user may not enter " + parent->string() +
                           ": choose another storage.data_dir or run as an ordinary user");
    if (auto made = make_folder(cluster); !made) return made.error();
    const auto sockets = socket_dir_for(cluster);
    if (auto made = make_folder(sockets); !made) return made.error();
    if (!fs::exists(cluster / "PG_VERSION"))
        if (auto made = initialise(*binaries, cluster); !made) return made.error();

    server.binaries_ = *binaries;
    server.socket_dir_ = sockets;
    // `status` also tells a stale pid file from a server.
    server.adopted_ = run({*binaries / "pg_ctl", "status", "-D", cluster}).status == 0;
    if (!server.adopted_) {
        const auto log = cluster / "start.log";
        std::error_code ignored;
        fs::remove(log, ignored);
        const auto options = "-k '" + sockets.string() + "' -h '' -p 5432";
        const auto started = run({*binaries / "pg_ctl", "start", "-w", "-t", "120", "-s", "-D",
                                  cluster, "-l", log, "-o", options},
                                 true);
        if (started.status != 0) {
            std::ifstream file{log};
            const std::string said{std::istreambuf_iterator<char>{file}, {}};
            return unavailable("PostgreSQL in " + cluster.string() +
                               " does not start: " + last_line(said));
        }
    }
    server.data_dir_ = cluster;
    return server;
}

EmbeddedPostgres::~EmbeddedPostgres() { (void)stop(); }

Result<void> EmbeddedPostgres::stop() {
    if (data_dir_.empty()) return {};
    const auto cluster = std::exchange(data_dir_, {});
    const auto stopped =
        run({binaries_ / "pg_ctl", "stop", "-m", "fast", "-w", "-t", "60", "-s", "-D", cluster});
    if (stopped.status != 0 && pid_in(cluster) != 0)
        return unavailable("PostgreSQL in " + cluster.string() +
                           " does not stop: " + last_line(stopped.output));
    return {};
}

int EmbeddedPostgres::server_pid() const { return data_dir_.empty() ? 0 : pid_in(data_dir_); }

std::string EmbeddedPostgres::conninfo() const {
    std::string quoted;
    for (const char byte : socket_dir_.string()) {
        if (byte == '\'' || byte == '\\') quoted += '\\';
        quoted += byte;
    }
    return "host='" + quoted + "' port=5432 user=sojourn dbname=postgres";
}

} // namespace runtime
