#include "runtime/privacy.hpp"

#include "journeys/policy.hpp"
#include "runtime/customer_search.hpp"
#include "runtime/database_session.hpp"
#include "runtime/person_export.hpp"
#include "runtime/sql_arrays.hpp"
#include "schema/record_codec.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

namespace runtime {

using journeys::Customer;
using journeys::CustomerId;
using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 60s;
constexpr auto look_again = 100ms;
constexpr std::size_t customers_at_once = 1'000; ///< Of a whole shop.
constexpr int tombstones_at_once = 1'000;
constexpr int rounds_max = 5; ///< Until no further id of the person turns up.
/// How often what is accepted is sent on at most: by links between ids of six ranks.
constexpr int hops_max = 6;

std::string text_of(const pqxx::field& field) { return pqxx::binarystring{field}.str(); }

std::vector<std::string> all_ids(const Customer& customer) {
    std::vector<std::string> ids{journeys::to_text(customer.id)};
    for (const auto& id : customer.known_ids) ids.push_back(journeys::to_text(id));
    return ids;
}

/// Ids, each once, in the order in which they turned up.
class IdSet {
public:
    explicit IdSet(const std::vector<std::string>& ids = {}) { add(ids); }
    bool add(const std::vector<std::string>& ids) {
        const auto before = list_.size();
        for (const auto& id : ids)
            if (known_.insert(id).second) list_.push_back(id);
        return list_.size() > before;
    }
    const std::vector<std::string>& list() const { return list_; }

private:
    std::set<std::string> known_;
    std::vector<std::string> list_;
};

Error not_done_yet() {
    return {ErrorCode::unavailable,
            "the erasure is begun and not done yet; it goes on by itself: sojourn privacy"};
}

} // namespace

struct PrivacyDesk::Impl {
    PrivacyParts parts;
    DatabaseSession session;
    std::atomic<bool> is_stopping{false};
    std::mutex mutex;
    std::set<std::int64_t> under_way; ///< Guarded by `mutex`.

    explicit Impl(PrivacyParts given) : parts(std::move(given)), session(parts.conninfo) {}

    Result<std::shared_ptr<const Customer>> find(const std::string& id) {
        return wait_for_customer(parts.system, id);
    }

    /// Tombstones that lead to `ids` and that their customer has forgotten: it remembers a bounded
    /// number of its ids.
    Result<std::vector<std::string>> tombstones_of(const std::vector<std::string>& ids) {
        std::vector<std::string> values, found;
        std::set<CustomerId> owners;
        for (const auto& text : ids) {
            const auto id = *journeys::parse_customer_id(text);
            values.push_back(id.value);
            owners.insert(id);
        }
        std::string behind;
        while (true) {
            // A tombstone is short, and where it leads to stands in it as it is.
            const auto rows = session.run([&](pqxx::work& work) {
                return work.exec_params(
                    "SELECT customer, block FROM snapshots WHERE customer > $1 AND "
                    "octet_length(block) < 4096 AND EXISTS (SELECT FROM unnest($2::bytea[]) AS "
                    "v WHERE position(v IN block) > 0) ORDER BY customer LIMIT $3",
                    pqxx::binarystring{behind.data(), behind.size()}, bytea_array(values),
                    tombstones_at_once);
            });
            if (!rows) return rows.error();
            for (const auto& row : *rows) {
                behind = text_of(row[0]);
                const auto customer = journeys::unpack(text_of(row[1]));
                if (customer && customer->forward_to && owners.contains(*customer->forward_to))
                    found.push_back(behind);
            }
            if (rows->size() < tombstones_at_once) return found;
        }
    }

    /// `ids`, and all other ids of whoever they reach.
    Result<void> reach(IdSet& ids) {
        for (int round = 0; round < rounds_max; ++round) {
            bool has_more = false;
            for (const auto& id : std::vector<std::string>{ids.list()}) {
                const auto customer = find(id);
                if (!customer) return customer.error();
                if (!*customer) continue;
                has_more |= ids.add(all_ids(**customer));
                if ((*customer)->known_ids.size() < journeys::bounds::known_ids) continue;
                const auto forgotten = tombstones_of(all_ids(**customer));
                if (!forgotten) return forgotten.error();
                has_more |= ids.add(*forgotten);
            }
            if (!has_more) break;
        }
        return {};
    }

    /// Addresses that must stay unused, before nobody knows any more that they must.
    Result<void> keep_suppressions(const Customer& customer) {
        const auto catalog = parts.catalog();
        std::vector<SuppressedAddress> kept;
        for (const auto& channel : catalog->settings().channels) {
            const auto address = journeys::address_of(customer, channel);
            if (address.empty()) continue;
            const bool said_no = journeys::consent_of(customer, channel.name, "") ==
                                 journeys::ConsentState::unsubscribed;
            if (said_no || journeys::is_suppressed(customer, channel))
                kept.push_back(
                    {channel.address, address, said_no ? "unsubscribed" : "bounce", "erasure"});
        }
        return parts.suppressions.add(kept, parts.now());
    }

    Result<std::vector<std::shared_ptr<journeys::Record>>>
    append(const std::vector<std::string>& ids) {
        std::vector<actors::Draft> drafts;
        std::vector<std::shared_ptr<journeys::Record>> records;
        for (const auto& id : ids) {
            actors::Draft draft;
            draft.customer = *journeys::parse_customer_id(id);
            draft.kind = journeys::RecordKind::erasure;
            draft.record = std::make_shared<journeys::Record>();
            draft.record->customer = draft.customer;
            draft.record->body = journeys::Erasure{};
            draft.bytes = schema::encode(*draft.record);
            records.push_back(draft.record);
            drafts.push_back(std::move(draft));
        }
        auto promise = std::make_shared<std::promise<Result<void>>>();
        parts.log.append(std::move(drafts),
                         [promise](Result<void> done) { promise->set_value(std::move(done)); });
        if (auto done = promise->get_future().get(); !done) return done.error();
        return records;
    }

    using Offsets = std::map<actors::Partition, std::uint64_t>;

    Result<Offsets> offsets(const char* sql) {
        return session.run([&](pqxx::work& work) {
            Offsets offsets;
            for (const auto& row : work.exec(sql))
                offsets[row[0].as<actors::Partition>()] = row[1].as<std::uint64_t>();
            return offsets;
        });
    }

    /// Until every snapshot is behind `ends`, so that no replay reads what is overwritten.
    Result<void> wait_for(const Offsets& ends) {
        return wait_until([&]() -> Result<bool> {
            const auto flushed = offsets("SELECT partition, watermark FROM progress");
            if (!flushed) return flushed.error();
            return std::ranges::none_of(ends, [&](const auto& end) {
                const auto known = flushed->find(end.first);
                return known == flushed->end() || known->second < end.second;
            });
        });
    }

    /// Asks until it is so; not for longer than our patience, or than this desk is there.
    template <class IsSo> Result<void> wait_until(IsSo is_so) {
        const auto until = std::chrono::steady_clock::now() + patience;
        while (true) {
            const Result<bool> is_done = is_so();
            if (!is_done) return is_done.error();
            if (*is_done) return {};
            if (is_stopping || std::chrono::steady_clock::now() > until) return not_done_yet();
            std::this_thread::sleep_for(look_again);
        }
    }

    Result<Offsets> newest_offsets() {
        return offsets("SELECT partition, last_offset FROM log_positions");
    }

    /// Until all that is accepted by now is with the customer whose it is. A link is known to that
    /// customer only then, and what it sends on would arrive behind an erasure and make the person
    /// anew.
    Result<void> wait_for_arrivals() {
        auto ends = newest_offsets();
        for (int hop = 0; ends && hop <= hops_max; ++hop) {
            // What these records send on is written down with their flush.
            if (auto flushed = wait_for(*ends); !flushed) return flushed;
            const auto had_some = wait_for_transfers();
            if (!had_some) return had_some.error();
            auto now = newest_offsets();
            if (!now) return now.error();
            if (!*had_some && *now == *ends) return {};
            ends = std::move(now);
        }
        if (!ends) return ends.error();
        return wait_for(*ends);
    }

    /// Until all that is written down to be sent on by now is in the log again; whether there was
    /// any.
    Result<bool> wait_for_transfers() {
        const auto left = [&](std::int64_t through) {
            return session.run([&](pqxx::work& work) {
                const auto row = work.exec_params1(
                    "SELECT max(sequence) FROM transfers WHERE sequence <= $1", through);
                return row[0].as<std::int64_t>(0);
            });
        };
        const auto newest = left(std::numeric_limits<std::int64_t>::max());
        if (!newest) return newest.error();
        if (*newest == 0) return false;
        const auto moved = wait_until([&]() -> Result<bool> {
            const auto some = left(*newest);
            if (!some) return some.error();
            return *some == 0;
        });
        if (!moved) return moved.error();
        return true;
    }

    /// What is left of the person in the database. Records keep their place, for offsets are dense,
    /// and become erasures of nobody.
    Result<std::size_t> scrub(const std::vector<std::string>& ids) {
        std::vector<std::int64_t> hashes;
        for (const auto& id : ids)
            hashes.push_back(
                static_cast<std::int64_t>(journeys::hash(*journeys::parse_customer_id(id))));
        journeys::Record nobody;
        nobody.body = journeys::Erasure{};
        const auto body = schema::encode(nobody);
        return session.run([&](pqxx::work& work) {
            const auto whom = bytea_array(ids);
            std::size_t rows = 0;
            const std::string nobodys_id = "user:erased";
            rows +=
                work.exec_params(
                        "UPDATE log SET kind = $3, message_hash = 0, customer = $4, "
                        "body = $5, customer_hash = $6 WHERE customer_hash = ANY($1::bigint[]) AND "
                        "customer = ANY($2::bytea[])",
                        int_array(hashes), whom, static_cast<int>(journeys::RecordKind::erasure),
                        pqxx::binarystring{nobodys_id.data(), nobodys_id.size()},
                        pqxx::binarystring{body.data(), body.size()},
                        static_cast<std::int64_t>(
                            journeys::hash(*journeys::parse_customer_id(nobodys_id))))
                    .affected_rows();
            // What they asked for before, there is nothing left to answer with.
            rows += work.exec_params("UPDATE privacy_requests SET state = 'done', subjects = '{}', "
                                     "orders = '{}', done_at = to_timestamp($2::float8 / 1000) "
                                     "WHERE kind = 'export' AND state = 'open' AND subjects && "
                                     "(SELECT array_agg(convert_from(id, 'UTF8')) FROM "
                                     "unnest($1::bytea[]) AS id)",
                                     whom, journeys::to_millis(parts.now()))
                        .affected_rows();
            // In the order in which flushes take most of them: they rarely wait for each other.
            work.exec_params("SELECT FROM outbox WHERE customer = ANY($1::bytea[]) "
                             "ORDER BY intent FOR UPDATE",
                             whom);
            rows += work.exec_params("UPDATE coupons c SET run = '00000000-0000-0000-0000-"
                                     "000000000000', intent = NULL FROM outbox o WHERE c.intent "
                                     "= o.intent AND o.customer = ANY($1::bytea[])",
                                     whom)
                        .affected_rows();
            for (const char* table :
                 {"outbox", "snapshots", "timeline", "transfers", "parked", "sandbox_messages"})
                rows += work.exec_params("DELETE FROM " + std::string{table} +
                                             " WHERE customer = ANY($1::bytea[])",
                                         whom)
                            .affected_rows();
            // Those that were refused while the erasure was on its way, as the flush has it.
            rows += work.exec_params("DELETE FROM rejects r USING unnest($1::bytea[]) AS e(id) "
                                     "WHERE e.id = ANY(r.ids) OR (r.ids = '{}' AND "
                                     "position(substring(e.id FROM position(':'::bytea IN e.id) + "
                                     "1) IN r.body) > 0)",
                                     whom)
                        .affected_rows();
            return rows;
        });
    }

    Result<void> note(const char* action, const std::string& subject, const std::string& actor,
                      const std::string& detail) {
        AuditEntry entry;
        entry.at = parts.now();
        entry.actor = actor;
        entry.action = action;
        entry.subject = subject;
        entry.detail = detail;
        return parts.audit.add({entry});
    }
    Result<void> note_customer(const char* action, const std::string& id, const std::string& actor,
                               const std::string& detail) {
        return note(action, parts.suppressions.subject(id), actor, detail);
    }

    /// Everything from the log's record to the last row. The ids stand in the request by then.
    Result<std::size_t> erase_ids(const std::vector<std::string>& ids) {
        auto found = customers_behind(ids);
        if (!found) return found.error();
        for (const auto& customer : *found)
            if (auto kept = keep_suppressions(*customer); !kept) return kept.error();
        std::size_t rows = 0;
        // What was on its way from one id's log to another's arrives behind the erasure. Whoever is
        // still seen after some rounds has come back by their own doing.
        for (int round = 0; round < rounds_max && (round == 0 || !found->empty()); ++round) {
            auto records = append(ids);
            if (!records) return records.error();
            Offsets ends;
            for (const auto& record : *records) {
                auto& end = ends[actors::partition_of(record->customer, parts.partitions)];
                end = std::max(end, record->offset);
            }
            if (auto flushed = wait_for(ends); !flushed) return flushed.error();
            const auto scrubbed = scrub(ids);
            if (!scrubbed) return scrubbed.error();
            rows += *scrubbed;
            auto newest = newest_offsets();
            if (!newest) return newest.error();
            std::erase_if(*newest, [&](const auto& end) { return !ends.contains(end.first); });
            if (auto flushed = wait_for(*newest); !flushed) return flushed.error();
            found = customers_behind(ids);
            if (!found) return found.error();
        }
        return rows;
    }

    Result<std::vector<std::shared_ptr<const Customer>>>
    customers_behind(const std::vector<std::string>& ids) {
        std::set<std::string> seen;
        std::vector<std::shared_ptr<const Customer>> customers;
        for (const auto& id : ids) {
            auto customer = find(id);
            if (!customer) return customer.error();
            if (*customer && seen.insert(journeys::to_text((*customer)->id)).second)
                customers.push_back(std::move(*customer));
        }
        return customers;
    }

    Result<std::size_t> carry_out_person(const KeptPrivacyRequest& request) {
        if (auto arrived = wait_for_arrivals(); !arrived) return arrived.error();
        IdSet ids{request.subjects};
        if (auto reached = reach(ids); !reached) return reached.error();
        if (auto noted = parts.requests.set_subjects(request.number, ids.list()); !noted)
            return noted.error();
        if (ids.list().empty()) return std::size_t{0};
        const auto rows = erase_ids(ids.list());
        if (!rows) return rows.error();
        if (auto noted = note_customer("customer.erased", ids.list().front(), request.source,
                                       "request " + std::to_string(request.number) + ", " +
                                           std::to_string(ids.list().size()) + " ids, " +
                                           std::to_string(*rows) + " rows");
            !noted)
            return noted.error();
        return *rows;
    }

    /// Customers by the ids that only this shop gives, in the order of their keys.
    Result<std::vector<std::string>> customers_of(const schema::ShopMap& shop) {
        return session.run([&](pqxx::work& work) {
            std::vector<std::string> found;
            for (const auto& range : shop.own_ids) {
                const auto from = std::string{range.space} + ':' + std::string{range.prefix};
                auto until = from;
                ++until.back(); // ':' and '-' are followed by something.
                const auto rows = work.exec_params(
                    "SELECT customer FROM snapshots WHERE customer >= $1 AND customer < $2 "
                    "ORDER BY customer LIMIT $3",
                    pqxx::binarystring{from.data(), from.size()},
                    pqxx::binarystring{until.data(), until.size()}, customers_at_once);
                for (const auto& row : rows) found.push_back(text_of(row[0]));
                if (!found.empty()) break;
            }
            return found;
        });
    }

    Result<std::size_t> carry_out_shop(const KeptPrivacyRequest& request) {
        const auto* shop =
            parts.shops.contains(request.source) ? parts.shops.at(request.source) : nullptr;
        if (!shop)
            return Error{ErrorCode::invalid_argument,
                         "sojourn.yaml no longer has the source " + request.source};
        std::size_t rows = 0, customers = 0;
        // What a process before this one had begun.
        if (!request.subjects.empty()) {
            const auto erased = erase_ids(request.subjects);
            if (!erased) return erased.error();
            rows += *erased;
        }
        // Whoever is known in memory only has a snapshot then, too.
        if (auto arrived = wait_for_arrivals(); !arrived) return arrived.error();
        while (true) {
            if (is_stopping) return not_done_yet();
            const auto found = customers_of(*shop);
            if (!found) return found.error();
            if (found->empty()) break;
            IdSet ids{*found};
            if (auto reached = reach(ids); !reached) return reached.error();
            if (auto noted = parts.requests.set_subjects(request.number, ids.list()); !noted)
                return noted.error();
            const auto erased = erase_ids(ids.list());
            if (!erased) return erased.error();
            rows += *erased;
            customers += found->size();
        }
        if (auto noted =
                note("shop.erased", "request " + std::to_string(request.number), request.source,
                     std::to_string(customers) + " ids of the shop's own, " + std::to_string(rows) +
                         " rows");
            !noted)
            return noted.error();
        return rows;
    }

    /// How many rows; nothing where another thread is at it, or has just done it.
    Result<std::optional<std::size_t>> carry_out(std::int64_t number) {
        {
            const std::scoped_lock lock{mutex};
            if (!under_way.insert(number).second) return std::optional<std::size_t>{};
        }
        auto rows = carry_out_alone(number);
        const std::scoped_lock lock{mutex};
        under_way.erase(number);
        return rows;
    }

    Result<std::optional<std::size_t>> carry_out_alone(std::int64_t number) {
        const auto request = parts.requests.find(number);
        if (!request) return request.error();
        if (!*request || (*request)->state == "done") return std::optional<std::size_t>{};
        const auto rows = (*request)->kind == "erase_shop" ? carry_out_shop(**request)
                                                           : carry_out_person(**request);
        if (!rows) return rows.error();
        if (auto finished = parts.requests.finish(number, parts.now()); !finished)
            return finished.error();
        return std::optional{*rows};
    }

    /// Of all ids that reach the customer, those they have forgotten, too.
    Result<std::string> export_customer(const Customer& customer, const std::string& actor) {
        IdSet ids{all_ids(customer)};
        if (customer.known_ids.size() >= journeys::bounds::known_ids) {
            const auto forgotten = tombstones_of(ids.list());
            if (!forgotten) return forgotten.error();
            ids.add(*forgotten);
        }
        const auto catalog = parts.catalog();
        auto all = export_person(session, {.customer = customer,
                                           .ids = ids.list(),
                                           .suppressions = parts.suppressions,
                                           .catalog = *catalog,
                                           .now = parts.now()});
        if (!all) return all;
        if (auto noted = note_customer("customer.exported", ids.list().front(), actor, ""); !noted)
            return noted.error();
        return all;
    }

    /// A request that still waits; else why it cannot be dealt with.
    Result<KeptPrivacyRequest> waiting(std::int64_t number, std::string_view kind) {
        auto found = parts.requests.find(number);
        if (!found) return found.error();
        if (!*found || (*found)->state == "done")
            return Error{ErrorCode::not_found, "no open request has this number"};
        if ((*found)->kind != kind)
            return Error{ErrorCode::invalid_argument, "request " + std::to_string(number) +
                                                          " is of kind " + (*found)->kind +
                                                          ", not " + std::string{kind}};
        return **found;
    }
};

PrivacyDesk::PrivacyDesk(PrivacyParts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}
PrivacyDesk::~PrivacyDesk() = default;

Result<std::size_t> PrivacyDesk::erase(const std::string& id, const std::string& actor) {
    const auto customer = impl_->find(id);
    if (!customer) return customer.error();
    if (!*customer) return Error{ErrorCode::not_found, "no such customer"};
    schema::PrivacyRequest asked;
    asked.kind = schema::PrivacyKind::erase;
    asked.subjects = all_ids(**customer);
    const auto number = impl_->parts.requests.add(asked, actor, impl_->parts.now());
    if (!number) return number.error();
    const auto rows = impl_->carry_out(**number);
    if (!rows) return rows.error();
    if (!*rows) return not_done_yet(); // Whoever carries requests out was faster.
    return **rows;
}

Result<bool> PrivacyDesk::carry_out(std::int64_t number) {
    const auto rows = impl_->carry_out(number);
    if (!rows) return rows.error();
    return rows->has_value();
}

void PrivacyDesk::stop() { impl_->is_stopping = true; }

Result<bool> PrivacyDesk::finish(std::int64_t number, const std::string& actor) {
    const auto done = impl_->parts.requests.finish(number, impl_->parts.now());
    if (!done || !*done) return done;
    if (auto noted = impl_->note("privacy.done", "request " + std::to_string(number), actor, "");
        !noted)
        return noted.error();
    return true;
}

Result<void> PrivacyDesk::confirm_shop(std::int64_t number, const std::string& shop,
                                       const std::string& actor) {
    const auto request = impl_->waiting(number, "erase_shop");
    if (!request) return request.error();
    const auto& shops = impl_->parts.shops;
    const auto found = shops.find(request->source);
    if (found == shops.end())
        return Error{ErrorCode::invalid_argument,
                     "sojourn.yaml no longer has the source " + request->source};
    if (std::ranges::count(shops, found->second, [](const auto& each) { return each.second; }) > 1)
        return Error{ErrorCode::invalid_argument,
                     "sojourn.yaml has more than one source of type " +
                         std::string{found->second->type} +
                         ", and whose customers these are cannot be told. Erase them one by one, "
                         "then: sojourn privacy --done " +
                         std::to_string(number)};
    if (shop != request->shop)
        return Error{ErrorCode::invalid_argument,
                     "this erases everybody whom the shop has ever named, for good. To confirm: "
                     "sojourn privacy --erase-shop " +
                         std::to_string(number) + " --shop " + request->shop};
    const auto confirmed = impl_->parts.requests.confirm(number);
    if (!confirmed) return confirmed.error();
    if (!*confirmed) return {}; // It is already.
    return impl_->note("shop.erasure_confirmed", "request " + std::to_string(number), actor,
                       request->shop);
}

Result<std::string> PrivacyDesk::export_request(std::int64_t number, const std::string& actor) {
    const auto request = impl_->waiting(number, "export");
    if (!request) return request.error();
    const auto customers = impl_->customers_behind(request->subjects);
    if (!customers) return customers.error();
    std::string out = "{\"request\":" + std::to_string(number) + ",\"customers\":[";
    for (const auto& customer : *customers) {
        const auto one = impl_->export_customer(*customer, actor);
        if (!one) return one.error();
        out += (out.back() == '[' ? "" : ",") + *one;
    }
    return out + "]}";
}

Result<std::string> PrivacyDesk::export_all(const std::string& id, const std::string& actor) {
    const auto customer = impl_->find(id);
    if (!customer) return customer.error();
    if (!*customer) return Error{ErrorCode::not_found, "no such customer"};
    return impl_->export_customer(**customer, actor);
}

} // namespace runtime
