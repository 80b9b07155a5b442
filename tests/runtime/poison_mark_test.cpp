#include "runtime/poison_mark.hpp"

#include "tests/support/files.hpp"

#include <catch2/catch.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using runtime::PoisonMarkFile;

namespace {

const journeys::CustomerId ada{journeys::IdNamespace::user, "ada"};
const journeys::CustomerId bob{journeys::IdNamespace::anonymous, "bob"};

/// A data folder of its own.
struct Folder {
    std::filesystem::path path = [] {
        char name[] = "/tmp/sojourn-marks-XXXXXX";
        return std::filesystem::path{::mkdtemp(name)};
    }();
    ~Folder() { std::filesystem::remove_all(path); }
    std::unique_ptr<PoisonMarkFile> open() const {
        return std::move(PoisonMarkFile::open(path / "marks", 4).value());
    }
};

} // namespace

TEST_CASE("the third unclean end at the same record makes it poison", "[marks]") {
    const Folder folder;
    for (int end = 1; end <= 3; ++end) {
        const auto marks = folder.open();
        CHECK(marks->poison().records.empty());
        marks->applying(1, 16, ada);
        marks->done(1);
        marks->applying(1, 17, ada);
    }
    {
        const auto marks = folder.open();
        CHECK(marks->poison().records ==
              std::set<std::pair<actors::Partition, std::uint64_t>>{{actors::Partition{1}, 17u}});
        CHECK(marks->poison().timers.empty());
        marks->applying(1, 17, ada); // It ends there once more before that was parked.
    }
    CHECK(folder.open()->poison().records.size() == 1);
    CHECK(folder.open()->poison().records.empty()); // It came past it.
}

TEST_CASE("a timer is named by its customer", "[marks]") {
    const Folder folder;
    for (int end = 1; end <= 3; ++end) folder.open()->applying(0, 0, bob);
    const auto marks = folder.open();
    CHECK(marks->poison().timers == std::set<journeys::CustomerId>{bob});
    CHECK(marks->poison().records.empty());
}

TEST_CASE("ends at different places, or in order, are nobody's fault", "[marks]") {
    const Folder folder;
    for (std::uint64_t end = 1; end <= 9; ++end) folder.open()->applying(2, end % 2 + 1, ada);
    CHECK(folder.open()->poison().records.empty());
    folder.open()->applying(3, 5, ada);
    folder.open()->applying(3, 5, ada);
    folder.open()->done(3); // In order.
    folder.open()->applying(3, 5, ada);
    CHECK(folder.open()->poison().records.empty());
    for (int end = 1; end <= 3; ++end) folder.open()->applying(3, 0, end % 2 ? ada : bob);
    CHECK(folder.open()->poison().timers.empty());
}

TEST_CASE("a file that is none of ours is made anew", "[marks]") {
    const Folder folder;
    std::ofstream{folder.path / "marks"} << "something else";
    CHECK(folder.open()->poison().records.empty());
    const journeys::CustomerId longest{journeys::IdNamespace::user, std::string(512, 'x')};
    for (int end = 1; end <= 3; ++end) folder.open()->applying(0, 0, longest);
    CHECK(folder.open()->poison().timers.contains(longest));
    CHECK(!PoisonMarkFile::open(folder.path / "absent" / "marks", 4).has_value());
}
