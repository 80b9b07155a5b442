#include "tests/bench/guarded.hpp"
#include "tests/bench/measure.hpp"

#include <catch2/catch.hpp>

#include <sys/types.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <stdexcept>

namespace fs = std::filesystem;

TEST_CASE("what a bench returns is answered, and its folder is gone", "[bench]") {
    const bench::TemporaryFolder below{fs::temp_directory_path()};
    CHECK(bench::guarded(below.path(), [](const fs::path& folder) {
              std::ofstream{folder / "data"} << "data";
              return fs::exists(folder / "data") ? 7 : 8;
          }) == 7);
    CHECK(fs::is_empty(below.path()));
    CHECK(bench::guarded(below.path(), [](const fs::path&) -> int {
              throw std::runtime_error{"as the test wants it"};
          }) == 1);
    CHECK(fs::is_empty(below.path()));
}

TEST_CASE("a bench that a signal ends leaves no server and no folder", "[bench]") {
    const bench::TemporaryFolder below{fs::temp_directory_path()};
    for (const int signal : {SIGINT, SIGTERM, SIGKILL}) {
        CAPTURE(signal);
        int ends[2];
        REQUIRE(::pipe(ends) == 0);
        CHECK(bench::guarded(below.path(), [&](const fs::path& folder) {
                  // A session of its own, as that of a private PostgreSQL is.
                  const pid_t server = ::fork();
                  if (server == 0) {
                      ::setsid();
                      std::signal(SIGQUIT, SIG_DFL);
                      while (true) ::pause();
                  }
                  fs::create_directories(folder / "ours" / "data");
                  std::ofstream{folder / "ours" / "data" / "postmaster.pid"} << server
                                                                             << "\nmore\n";
                  ::close(ends[0]);
                  ::raise(signal);
                  return 0;
              }) == 128 + signal);
        CHECK(fs::is_empty(below.path()));
        // The server had the other end, and nobody has it now.
        ::close(ends[1]);
        char byte = 0;
        CHECK(::read(ends[0], &byte, 1) == 0);
        ::close(ends[0]);
    }
}
