#include "tests/faults/rest.hpp"

#include <functional>
#include <sstream>
#include <thread>

namespace faults {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

/// What the service opens when it first needs it, and keeps, beside its connections to providers:
/// those of the desks beside the log, and what is about to be closed.
constexpr std::uint64_t kept_descriptors = 40;

/// What allocators keep of a busy time. The sanitizers keep freed memory on purpose, 256 MB of it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kept_bytes = 600ull << 20;
#else
constexpr std::uint64_t kept_bytes = 200ull << 20;
#endif
/// Of a customer who is still in memory, which they all may be: several times what one takes.
constexpr std::uint64_t customer_bytes = 16 << 10;

constexpr auto patience_for_rest = 20s;

using Wrong = std::vector<std::pair<std::string, std::string>>; ///< Invariant, and what it is.

/// Asks again until nothing is wrong; then, or when the patience ends, what is.
Wrong last_wrong(const std::function<Wrong()>& ask) {
    for (const auto until = Clock::now() + patience_for_rest;;) {
        auto wrong = ask();
        if (wrong.empty() || Clock::now() > until) return wrong;
        std::this_thread::sleep_for(50ms);
    }
}

/// The page of /metrics.
class Page {
public:
    explicit Page(std::string text) : text_(std::move(text)) {}
    bool empty() const { return text_.empty(); }
    /// The sum of the series of `name` of which each of `labels` is one.
    double sum(const std::string& name, const std::vector<std::string>& labels = {}) const {
        double total = 0;
        std::istringstream lines{text_};
        for (std::string line; std::getline(lines, line);) {
            const auto head = line.substr(0, line.find(' '));
            if (head != name && !head.starts_with(name + '{')) continue;
            bool is_meant = true;
            for (const auto& label : labels) is_meant = is_meant && head.find(label) != head.npos;
            if (is_meant) total += std::strtod(line.c_str() + head.size() + 1, nullptr);
        }
        return total;
    }

private:
    std::string text_;
};

Wrong held(World& world) {
    Wrong wrong;
    const auto before = world.usage_when_ready(), now = world.service().usage();
    const auto at_most = [&](const char* what, std::uint64_t value, std::uint64_t most) {
        if (value > most)
            wrong.emplace_back(std::string{"I7 "} + what + " do not return",
                               std::to_string(value) + ", at most " + std::to_string(most));
    };
    const auto customers = std::stoull(world.sql("SELECT count(*) FROM snapshots"));
    at_most("threads", now.threads, before.threads);
    // As many as may call at once are kept open to a provider.
    at_most("descriptors", now.descriptors,
            before.descriptors + kept_descriptors + world.calls->connections());
    at_most("bytes of memory", now.resident_bytes,
            before.resident_bytes + kept_bytes + customers * customer_bytes);
    // One asks for the metrics.
    at_most("connections of producers",
            static_cast<std::uint64_t>(world.metric("sojourn_connections").value_or(0)), 1);
    // Every session of PostgreSQL has somebody at its other end: none hangs on to what was given
    // up.
    at_most("sessions of PostgreSQL",
            std::stoull(world.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name "
                                  "LIKE 'sojourn/%' AND application_name NOT LIKE "
                                  "'sojourn/harness/%'")),
            world.storage->connections());
    return wrong;
}

/// Of all senders together.
Senders::Counts known(const std::vector<const Senders*>& senders) {
    Senders::Counts all;
    for (const auto* sender : senders) {
        const auto counts = sender->counts();
        all.acked += counts.acked;
        all.repeated += counts.repeated;
        all.refused += counts.refused;
        all.are_whole = all.are_whole && counts.are_whole;
    }
    return all;
}

Wrong told(World& world, const Senders::Counts& sent) {
    const Page page{world.get("/metrics").body};
    if (page.empty()) return {{"I9 no metrics", ""}};
    Wrong wrong;
    const auto equal = [&](const std::string& what, double said, double truth) {
        if (said != truth)
            wrong.emplace_back("I9 the metrics say otherwise", what + ' ' + std::to_string(said) +
                                                                   " instead of " +
                                                                   std::to_string(truth));
    };
    const auto count = [&](const std::string& query) { return std::stod(world.sql(query)); };
    // At calm the database holds none of these.
    equal("lag", page.sum("sojourn_lag_events"), 0);
    equal("open walks", page.sum("sojourn_walks_open"), 0);
    for (const char* state : {"queued", "calling", "backing_off", "settling"})
        equal(std::string{"intents "} + state,
              page.sum("sojourn_channel_intents", {"state=\"" + std::string{state} + '"'}), 0);
    if (world.launches() != 1) return wrong;
    const std::string runs = "sojourn_runs_total", intents = "sojourn_intents_total";
    equal("runs entered", page.sum(runs, {"event=\"entered\""}),
          count("SELECT count(*) FROM timeline WHERE kind = 'enter'"));
    equal("runs ended",
          page.sum(runs, {"event=\"exited\""}) + page.sum(runs, {"event=\"completed\""}),
          count("SELECT count(*) FROM timeline WHERE kind IN ('exit', 'end')"));
    equal("intents opened", page.sum(intents, {"state=\"opened\""}),
          count("SELECT count(*) FROM outbox"));
    equal("intents accepted", page.sum(intents, {"state=\"accepted\""}),
          count("SELECT count(*) FROM outbox WHERE state = 'accepted'"));

    const std::string ingested = "sojourn_ingested_total", applied = "sojourn_applied_total";
    const auto received = page.sum(ingested, {"result=\"accepted\""});
    const auto acked = static_cast<double>(sent.acked);
    if (sent.are_whole) {
        equal("messages received", received, acked);
        equal("messages refused", page.sum(ingested, {"result=\"rejected\""}),
              static_cast<double>(sent.refused));
        equal("duplicates", page.sum(applied, {"result=\"duplicate\""}),
              static_cast<double>(sent.repeated));
    } else if (received < acked) {
        equal("messages received, fewer than were acked:", received, acked);
    }
    // Each is counted once it is durable, so the log may hold more, and never less.
    if (const auto events = count("SELECT count(*) FROM log WHERE kind = 1"); received > events)
        equal("messages received, more than are in the log:", received, events);
    // Publications are nobody's, and what was parked is counted once more when it is let go.
    if (page.sum(applied, {"result=\"parked\""}) == 0)
        equal("records applied", page.sum(applied),
              count("SELECT count(*) FROM log WHERE kind <> 2"));
    return wrong;
}

} // namespace

void check_lag(World& world, std::chrono::milliseconds patience, Findings& findings) {
    const auto read = [&](const std::string& query) -> std::string {
        try {
            return world.sql(query);
        } catch (const std::exception& failure) { // PostgreSQL comes back only now.
            return failure.what();
        }
    };
    const std::string ends = "SELECT string_agg(format('(%s,%s)', partition, last_offset), ',') "
                             "FROM log_positions WHERE last_offset > 0";
    std::string reached, behind;
    for (const auto until = Clock::now() + patience; Clock::now() < until;) {
        if (!reached.starts_with('(')) reached = read(ends);
        if (reached.empty()) return; // There is no event at all.
        behind = reached;
        if (reached.starts_with('('))
            behind = read("SELECT sum(greatest(e.reached - coalesce(p.watermark, 0), 0)) "
                          "FROM (VALUES " +
                          reached +
                          ") AS e (partition, reached) LEFT JOIN progress p USING (partition)");
        if (behind == "0") return;
        std::this_thread::sleep_for(20ms);
    }
    findings.add("I8 a lag remains", "events behind: " + behind);
}

void check_rest(World& world, const std::vector<const Senders*>& senders, Findings& findings) {
    for (const auto& [invariant, what] : last_wrong([&] { return held(world); }))
        findings.add(invariant, what);
    for (const auto& [invariant, what] : last_wrong([&] { return told(world, known(senders)); }))
        findings.add(invariant, what);
}

} // namespace faults
