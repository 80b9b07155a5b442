#include "tests/faults/proof.hpp"

#include "journeys/local_time.hpp"
#include "tests/faults/findings.hpp"
#include "tests/faults/rest.hpp"
#include "tests/faults/truth.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

namespace faults {

using namespace std::chrono_literals;

namespace {

constexpr std::uintmax_t log_bytes_max = 4 << 20;
/// Of the shop's journeys those that nothing ends before their message.
const std::set<std::string> never_recalled{"welcome", "hello"};
/// What no log may hold: a trait of the traffic's people, and the numbers of those who say STOP.
constexpr std::string_view personal[] = {Traffic::personal, "4915112345"};

/// Without what hangs on when a channel was free and a provider answered.
journeys::Customer decided(journeys::Customer customer, const Expectations& expectations) {
    customer.revision = customer.applied = customer.publication = 0;
    customer.accepted_at = {};
    customer.sends.clear();
    customer.goals.clear();
    if (expectations.entries_may_be_refused) {
        customer.runs.clear();
        customer.ended.clear();
        customer.refusals.clear();
    }
    for (auto& ended : customer.ended) ended.ended_at = {};
    // Whether a run was still open, or closed already, when a later event would have opened it.
    for (auto& refusal : customer.refusals)
        if (refusal.reason == journeys::NoEntry::open_run)
            refusal.reason = journeys::NoEntry::reentry;
    std::ranges::sort(customer.ended, {}, [](const journeys::EndedRun& run) {
        return std::tuple{run.journey, run.key_hash, run.entered_at};
    });
    return customer;
}

/// The fields that differ, by name, each with how many it holds where it holds several.
std::string difference(const journeys::Customer& live, const journeys::Customer& reference) {
    using journeys::Customer;
    std::string text;
    const auto compare = [&](const char* name, auto member) {
        // Few of the types can be compared, and all can be packed: as the one field of a customer.
        Customer left, right;
        left.*member = live.*member;
        right.*member = reference.*member;
        if (journeys::pack(left) == journeys::pack(right)) return;
        text += std::string{' '} + name;
        if constexpr (requires { (live.*member).size(); })
            text += " (" + std::to_string((live.*member).size()) + ", reference " +
                    std::to_string((reference.*member).size()) + ')';
        else if constexpr (std::is_same_v<decltype(live.*member), const journeys::Timestamp&>)
            text += " (" + journeys::to_text(live.*member) + ", reference " +
                    journeys::to_text(reference.*member) + ')';
    };
    compare("known_ids", &Customer::known_ids);
    compare("forward_to", &Customer::forward_to);
    compare("transfers", &Customer::transfers);
    compare("now", &Customer::now);
    compare("first_seen", &Customer::first_seen);
    compare("last_seen", &Customer::last_seen);
    compare("last_order_at", &Customer::last_order_at);
    compare("traits", &Customer::traits);
    compare("traits_at", &Customer::traits_at);
    compare("consents", &Customer::consents);
    compare("suppressions", &Customer::suppressions);
    compare("carts", &Customer::carts);
    compare("orders", &Customer::orders);
    compare("order_count", &Customer::order_count);
    compare("purchases", &Customer::purchases);
    compare("lifecycle", &Customer::lifecycle);
    compare("session", &Customer::session);
    compare("counters", &Customer::counters);
    compare("newest_events", &Customer::newest_events);
    compare("runs", &Customer::runs);
    compare("ended", &Customer::ended);
    compare("refusals", &Customer::refusals);
    compare("dedup", &Customer::dedup);
    compare("dedup_evicted", &Customer::dedup_evicted);
    compare("dedup_written", &Customer::dedup_written);
    return text.empty() ? " in some other field" : text;
}

void check_messages(const Truth& truth, const std::vector<const Senders*>& senders,
                    const Sample& sample, Findings& findings) {
    for (const auto* sender : senders)
        for (const auto& id : sender->acked())
            if (sample.takes(id) && !truth.messages.contains(id))
                findings.add("I1 an acked event is not in the log", id);
}

void check_customers(World& world, const Truth& truth, const Expectations& expectations,
                     const Sample& sample, Findings& findings) {
    auto connection = world.connect();
    const auto query = "SELECT customer, block FROM snapshots WHERE true" + sample.and_them();
    auto rows = connection.run(query.c_str());
    if (!rows) return findings.add("snapshots cannot be read", rows.error().detail);
    std::set<std::string> stored;
    for (int row = 0; row < rows->size(); ++row) {
        const std::string name{rows->bytes(row, 0)};
        stored.insert(name);
        const auto live = journeys::unpack(rows->bytes(row, 1));
        if (!live) {
            findings.add("I1 a snapshot cannot be read", name + ": " + live.error().detail);
            continue;
        }
        const auto id = journeys::parse_customer_id(name);
        const auto found = id ? truth.customers.find(*id) : truth.customers.end();
        if (found == truth.customers.end()) {
            findings.add("I2 a customer whom the log does not know", name);
            continue;
        }
        const auto left = decided(*live, expectations),
                   right = decided(found->second, expectations);
        if (journeys::pack(left) != journeys::pack(right))
            findings.add("I1, I2 a state is not the reference run's",
                         name + ':' + difference(left, right));
    }
    for (const auto& [id, customer] : truth.customers)
        if (!stored.contains(journeys::to_text(id)))
            findings.add("I1 a customer is not stored", journeys::to_text(id));
}

void check_entries(World& world, const Truth& truth, const Expectations& expectations,
                   const Sample& sample, Findings& findings) {
    auto connection = world.connect();
    const auto query =
        "SELECT customer, journey, key, at FROM timeline WHERE kind = 'enter'" + sample.and_them();
    auto rows = connection.run(query.c_str());
    if (!rows) return findings.add("the timeline cannot be read", rows.error().detail);
    std::multiset<std::string> live;
    for (int row = 0; row < rows->size(); ++row)
        live.insert(entered_text(std::string{rows->bytes(row, 0)}, std::string{rows->bytes(row, 1)},
                                 std::string{rows->bytes(row, 2)}, rows->time(row, 3)));
    for (const auto& entry : live)
        if (live.count(entry) > truth.entered.count(entry))
            findings.add("I5 a run that the reference run has not", entry);
    if (expectations.entries_may_be_refused) return;
    for (const auto& entry : truth.entered)
        if (truth.entered.count(entry) > live.count(entry))
            findings.add("I5 a run is missing", entry);
}

void check_intents(World& world, const Truth& truth, const Expectations& expectations,
                   const Sample& sample, Findings& findings) {
    auto connection = world.connect();
    const auto query = "SELECT replace(intent::text, '-', ''), customer, channel, state, reason, "
                       "opened_at FROM outbox WHERE true" +
                       sample.and_them();
    auto rows = connection.run(query.c_str());
    if (!rows) return findings.add("the outbox cannot be read", rows.error().detail);
    const auto seen = world.provider->seen();
    std::set<std::string> stored;
    for (int row = 0; row < rows->size(); ++row) {
        const std::string id{rows->bytes(row, 0)}, channel{rows->bytes(row, 2)},
            state{rows->bytes(row, 3)};
        const auto name = id + " of " + std::string{rows->bytes(row, 1)} + ' ' + channel + ' ' +
                          state + ' ' + std::string{rows->bytes(row, 4)};
        stored.insert(id);
        const auto wanted = truth.opened.find(id);
        if (wanted == truth.opened.end())
            findings.add("I3 an intent that the reference run has not", name);
        else if (wanted->second.at != rows->time(row, 5))
            findings.add("I5 an intent was opened at another time",
                         name + ' ' + journeys::to_text(rows->time(row, 5)) + " instead of " +
                             journeys::to_text(wanted->second.at));
        const auto call = seen.find(id);
        // Its run has ended before it was known what became of the first request: none repeats it.
        const bool is_left_unknown = expectations.answers_may_be_lost && state == "unknown" &&
                                     rows->bytes(row, 4) == "revoked";
        const bool was_accepted = call != seen.end() && call->second.accepted > 0;
        if (state == "accepted" && !was_accepted)
            findings.add("I4 accepted, and the provider knows nothing of it", name);
        if (state == "recalled" && was_accepted)
            findings.add("I4 recalled, and the provider has accepted it", name);
        if (state == "rejected" && was_accepted)
            findings.add("I4 rejected, and the provider has accepted it", name);
        if (state == "unknown" && !expectations.answers_may_be_lost)
            findings.add("I4 unknown, although nothing was lost", name);
        if (channel == "crm" && state == "unknown" && !is_left_unknown)
            findings.add("I4 unknown, although the provider de-duplicates", name);
        // Where nothing is lost the other channel, too, ends with a yes.
        if (expectations.every_intent_is_accepted && state != "accepted" && state != "recalled" &&
            (channel == "crm" || !expectations.answers_may_be_lost) && !is_left_unknown)
            findings.add("I3 not accepted", name);
        if (state == "recalled" && wanted != truth.opened.end() &&
            never_recalled.contains(wanted->second.journey))
            findings.add("I3 recalled, and its journey has no exit", name);
    }
    for (const auto& [id, wanted] : truth.opened)
        if (!expectations.entries_may_be_refused && !stored.contains(id))
            findings.add("I3 an intent is missing",
                         id + " of " + wanted.customer + ' ' + wanted.journey);
    if (!sample.customers.empty()) { // Whose a call is, the intents of all customers tell.
        auto all = connection.run("SELECT replace(intent::text, '-', '') FROM outbox");
        if (!all) return findings.add("the outbox cannot be read", all.error().detail);
        for (int row = 0; row < all->size(); ++row) stored.emplace(all->bytes(row, 0));
    }
    for (const auto& [id, call] : seen) {
        if (!stored.contains(id)) findings.add("I3 the provider got what is no intent", id);
        if (call.payloads.size() != 1) {
            std::string all = id;
            for (const auto& payload : call.payloads) all += ' ' + payload;
            findings.add("I4 several payloads with one key", all);
        }
        if (call.path != "/crm" && call.accepted > 1)
            findings.add("I4 sent twice to a provider that cannot tell", id);
        if (call.after_answer > 0 && !expectations.answers_may_be_lost)
            findings.add("I4 sent again although it was answered", id);
    }
}

/// The codes of a payload, as the journey's data has them.
std::string code_in(const std::string& payload) {
    constexpr std::string_view key = R"("code":")";
    const auto at = payload.find(key);
    if (at == payload.npos) return {};
    const auto begin = at + key.size();
    return payload.substr(begin, payload.find('"', begin) - begin);
}

/// No code reaches two people, and each that reached one is down as theirs.
void check_coupons(World& world, Findings& findings) {
    auto connection = world.connect();
    auto rows = connection.run("SELECT code, replace(intent::text, '-', '') FROM coupons WHERE "
                               "run IS NOT NULL");
    if (!rows) return findings.add("the coupons cannot be read", rows.error().detail);
    std::map<std::string, std::string> given;
    for (int row = 0; row < rows->size(); ++row)
        given[std::string{rows->bytes(row, 0)}] = std::string{rows->bytes(row, 1)};
    std::map<std::string, std::string> seen;
    for (const auto& [id, call] : world.provider->seen())
        for (const auto& payload : call.payloads) {
            const auto code = code_in(payload);
            if (code.empty()) continue;
            const auto [other, is_first] = seen.emplace(code, id);
            if (!is_first && other->second != id)
                findings.add("a code was given twice",
                             code + " by " + id + " and " + other->second);
            if (const auto kept = given.find(code); kept == given.end())
                findings.add("a code was sent that counts as free", code + " by " + id);
            else if (kept->second != id)
                findings.add("a code was sent that is another's", code + " by " + id);
        }
}

void check_log_file(const std::filesystem::path& log, Findings& findings) {
    std::ifstream file{log};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    for (const char* mark :
         {"AddressSanitizer", "LeakSanitizer", "runtime error:", "ThreadSanitizer"})
        if (const auto at = text.find(mark); at != text.npos)
            findings.add("a sanitizer reports", text.substr(at, 300));
    for (const auto mark : personal)
        if (const auto at = text.find(mark); at != text.npos)
            findings.add("I10 personal data in the log",
                         text.substr(at - std::min<std::size_t>(at, 60), 120));
    if (text.size() > log_bytes_max)
        findings.add("I10 the log is too long", std::to_string(text.size()) + " bytes");
}

} // namespace

std::vector<std::string> broken(World& world, const std::vector<const Senders*>& senders,
                                Expectations expectations, const Sample& sample) {
    Findings findings;
    const auto truth = truth_of(world, sample, findings);
    if (truth.messages.empty()) findings.add("the log is empty: nothing is proved by it", "");
    check_messages(truth, senders, sample, findings);
    check_customers(world, truth, expectations, sample, findings);
    check_entries(world, truth, expectations, sample, findings);
    check_intents(world, truth, expectations, sample, findings);
    check_coupons(world, findings);
    check_log_file(world.log(), findings);
    check_log_file(world.second_log(), findings); // Empty where there was no second one.
    if (!expectations.may_park)
        if (const auto parked = world.sql("SELECT min(reason) FROM parked"); !parked.empty())
            findings.add("a record is parked", parked);
    return findings.lines();
}

std::vector<std::string> settle_and_prove(World& world, Producers& producers,
                                          Expectations expectations, Patience patience,
                                          const std::vector<const Senders*>& others,
                                          const Sample& sample) {
    Findings findings;
    auto senders = others;
    senders.push_back(&producers);
    if (!producers.finish(patience.acks)) findings.add("not everything was acked in time", "");
    check_lag(world, patience.lag, findings);
    if (const auto why = world.wait_for_calm(patience.calm); !why.empty())
        findings.add("I8 no calm", why);
    else
        check_rest(world, senders, findings);
    const auto end = world.stop(patience.stop);
    if (end != 0)
        findings.add("SIGTERM did not end it in order", end ? std::to_string(*end) : "not at all");
    world.service().kill();
    auto wrong = findings.lines();
    const auto more = broken(world, senders, expectations, sample);
    wrong.insert(wrong.end(), more.begin(), more.end());
    return wrong;
}

} // namespace faults
