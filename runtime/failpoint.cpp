#include "runtime/failpoint.hpp"

#include "actors/failpoint.hpp"
#include "journeys/mutant.hpp"
#include "journeys/release.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <optional>
#include <string>
#include <thread>

namespace runtime {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

#ifdef SOJOURN_FAILPOINTS

namespace {

/// Each also has a `.before` and an `.after`.
constexpr std::array<std::string_view, 16> names{"append",         "commit_sent",
                                                 "commit_reply",   "apply",
                                                 "flush_begin",    "flush_commit",
                                                 "grant",          "claim",
                                                 "settle",         "provider_request",
                                                 "provider_reply", "take_over",
                                                 "transfer",       "fire",
                                                 "publish",        "walk"};

struct Armed {
    enum class Action { kill, error, delay, hang } action = Action::kill;
    std::string name;
    std::chrono::milliseconds span{0};
    std::uint64_t only = 0; ///< The passage that acts; 0: every one.
    std::atomic<std::uint64_t> passed{0};
    std::string behind; ///< Passages count once this one has been passed so often.
    std::uint64_t behind_count = 0;
    std::atomic<std::uint64_t> behind_passed{0};
};

/// Filled before threads start, and only counted on afterwards.
std::deque<Armed>& armed() {
    static std::deque<Armed> all;
    return all;
}

std::atomic<bool> any_armed{false};

bool is_known(std::string_view name) {
    for (const std::string_view side : {".before", ".after"})
        if (name.ends_with(side))
            return std::ranges::count(names, name.substr(0, name.size() - side.size())) > 0;
    return false;
}

template <class Number> std::optional<Number> whole_number(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

/// Takes what stands before `separator`, and the separator, off `text`.
std::string_view cut(std::string_view& text, char separator) {
    const auto at = text.find(separator);
    const auto head = text.substr(0, at);
    text.remove_prefix(at == text.npos ? text.size() : at + 1);
    return head;
}

/// The N of `@N`; 0 where it is missing, nothing where it is none.
std::optional<std::uint64_t> passage_in(std::string_view text) {
    if (text.empty()) return 0;
    const auto number = whole_number<std::uint64_t>(text);
    return number && *number > 0 ? number : std::nullopt;
}

Result<void> arm_one(std::string_view text) {
    const Error mistake{ErrorCode::invalid_argument,
                        "SOJOURN_FAILPOINT: \"" + std::string{text} + "\" is no failpoint"};
    const bool is_behind = text.find('>') != text.npos;
    std::string_view rest = text, behind_count;
    if (is_behind) behind_count = cut(rest, '>');
    const auto behind = cut(behind_count, '@');
    auto passage = rest;
    rest = cut(passage, '@');
    const auto name = cut(rest, ':');
    const auto action = cut(rest, ':');
    const auto only = passage_in(passage), count = passage_in(behind_count);
    if (!is_known(name) || !only || !count) return mistake;
    if (is_behind && (!is_known(behind) || *count == 0)) return mistake;
    Armed& point = armed().emplace_back();
    point.name = name;
    point.only = *only;
    point.behind = behind;
    point.behind_count = *count;
    if (action == "kill") {
        point.action = Armed::Action::kill;
    } else if (action == "error") {
        point.action = Armed::Action::error;
    } else if (action == "hang") {
        point.action = Armed::Action::hang;
    } else if (const auto span = whole_number<long>(rest); action == "delay" && span) {
        point.action = Armed::Action::delay;
        point.span = std::chrono::milliseconds{*span};
    } else {
        armed().pop_back();
        return mistake;
    }
    return {};
}

} // namespace

Result<void> arm_failpoints(std::string_view text) {
    armed().clear();
    while (!text.empty())
        if (auto done = arm_one(cut(text, ',')); !done) return done;
    any_armed = !armed().empty();
    return {};
}

Result<void> arm_faults_by_environment() {
    if (const char* name = std::getenv("SOJOURN_MUTANT")) {
        const auto mutant = journeys::mutant_called(name);
        if (!mutant)
            return Error{ErrorCode::invalid_argument,
                         "SOJOURN_MUTANT: " + std::string{name} + " is no mutant"};
        journeys::become(*mutant);
    }
    if (const char* release = std::getenv("SOJOURN_RELEASE")) {
        if (std::string_view{release} != "before")
            return Error{ErrorCode::invalid_argument, "SOJOURN_RELEASE is `before`, or not set"};
        journeys::act_as_release_before();
    }
    const char* text = std::getenv("SOJOURN_FAILPOINT");
    return arm_failpoints(text ? text : "");
}

std::chrono::milliseconds clock_offset() {
    const char* const text = std::getenv("SOJOURN_CLOCK_OFFSET");
    return std::chrono::seconds{text ? whole_number<long>(text).value_or(0) : 0};
}

#else

std::chrono::milliseconds clock_offset() { return {}; }

Result<void> arm_faults_by_environment() {
    for (const char* name :
         {"SOJOURN_FAILPOINT", "SOJOURN_MUTANT", "SOJOURN_RELEASE", "SOJOURN_CLOCK_OFFSET"})
        if (std::getenv(name))
            return Error{ErrorCode::invalid_argument,
                         std::string{name} + " is set, and this build has no failpoints"};
    return {};
}

#endif

} // namespace runtime

#ifdef SOJOURN_FAILPOINTS

namespace actors {

bool failpoint(std::string_view name) {
    using Action = runtime::Armed::Action;
    if (!runtime::any_armed.load(std::memory_order_relaxed)) return false;
    bool fails = false;
    for (auto& point : runtime::armed()) {
        if (point.behind == name) ++point.behind_passed;
        if (point.name != name || point.behind_passed < point.behind_count) continue;
        const auto passage = ++point.passed;
        if (point.only != 0 && point.only != passage) continue;
        switch (point.action) {
        case Action::kill: std::raise(SIGKILL); break;
        case Action::error:
            std::fprintf(stderr, "failpoint %s fails\n", point.name.c_str());
            fails = true;
            break;
        case Action::delay: std::this_thread::sleep_for(point.span); break;
        case Action::hang:
            std::fprintf(stderr, "failpoint %s hangs\n", point.name.c_str());
            while (true) std::this_thread::sleep_for(std::chrono::hours{1});
        }
    }
    return fails;
}

} // namespace actors

#endif
