#include "runtime/postgres/flush_transaction.hpp"

#include "actors/failpoint.hpp"
#include "journeys/engine.hpp"
#include "journeys/mutant.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace runtime {

using actors::CustomerWrite;
using actors::FlushRequest;
using journeys::Error;
using journeys::ErrorCode;
using journeys::IntentId;
using journeys::IntentState;
using journeys::Result;
using journeys::Timestamp;

namespace {

using Type = SqlArray::Type;

constexpr std::size_t snapshots_per_statement = 1000;

/// Locks the owner rows of all partitions concerned.
SqlStatement fence(const FlushRequests& requests) {
    SqlArray partitions{Type::int2};
    for (const auto& request : requests)
        partitions.add(static_cast<std::int16_t>(request->partition));
    SqlStatement statement{"SELECT partition, epoch, flush_sequence FROM partitions "
                           "JOIN progress USING (partition) WHERE partition = ANY($1) "
                           "ORDER BY partition FOR SHARE OF partitions",
                           {}};
    statement.params.add(partitions);
    return statement;
}

/// By the rows of the fence: who is fenced, and who was committed before, leaves `requests`.
void leave_out(const SqlRows& rows, FlushRequests& requests, FlushRequests& fenced) {
    std::map<actors::Partition, std::pair<std::uint64_t, std::uint64_t>> owners;
    for (int row = 0; row < rows.size(); ++row)
        owners[static_cast<actors::Partition>(rows.int2(row, 0))] = {rows.uint8(row, 1),
                                                                     rows.uint8(row, 2)};
    std::erase_if(requests, [&](const auto& request) {
        const auto [epoch, sequence] = owners[request->partition];
        const bool is_fenced =
            epoch != request->epoch && !journeys::is_mutant(journeys::Mutant::flush_without_epoch);
        if (is_fenced) fenced.push_back(request);
        return is_fenced || sequence >= request->sequence;
    });
}

/// The rows of a flush, gathered by table.
class Rows {
public:
    Rows(const FlushRequests& requests, const LogCodec& codec, Timestamp now)
        : codec_(codec), now_(now) {
        for (const auto& request : requests) add(*request);
    }

    /// In one round trip, for none needs the answer of another.
    Result<void> write(Connection& connection) {
        if (!journeys::is_mutant(journeys::Mutant::outbox_outside_transaction)) add_outbox();
        add_coupons();
        add_snapshots();
        add_timeline();
        add_consents();
        add_moves();
        add_released();
        add_parked();
        add_progress();
        add_eras();
        return run(connection);
    }

    Result<void> write_outbox(Connection& connection) {
        add_outbox();
        return run(connection);
    }

    bool has_moves() const { return moves_.size() > 0; }
    bool has_claims() const {
        return std::ranges::any_of(intents_, [](const auto& one) { return one.second.granted; });
    }

private:
    /// What became of one intent in this flush, its effects taken in order.
    struct Intent {
        actors::Partition partition = 0;
        std::string customer;
        const journeys::IntentOpened* opened = nullptr;
        const journeys::IntentGranted* granted = nullptr;
        IntentState state = IntentState::pending;
        std::string reason;
        std::uint64_t epoch = 0;
        bool is_settled = false; ///< By the channel.
    };

    void add(const FlushRequest& request) {
        for (const auto& write : request.customers) {
            const auto customer = journeys::to_text(write.customer);
            if (write.block) {
                auto& newest = snapshots_[customer];
                if (!newest.write || newest.write->revision < write.revision)
                    newest = {request.partition, &write};
            }
            auto number = write.first_timeline_number;
            for (const auto& effect : write.effects)
                std::visit([&](const auto& one) { take(request, write, customer, number, one); },
                           effect);
        }
        for (const auto& parked : request.parked) {
            parked_partitions_.add(static_cast<std::int16_t>(request.partition));
            parked_offsets_.add(parked.offset);
            parked_customers_.add(journeys::to_text(parked.customer));
            parked_reasons_.add(parked.reason);
            if (!parked.record) {
                parked_kinds_.add_null();
                parked_times_.add_null();
                parked_bodies_.add_null();
                continue;
            }
            parked_kinds_.add(static_cast<std::int16_t>(codec_.kind(*parked.record)));
            parked_times_.add(parked.record->accepted_at);
            parked_bodies_.add(codec_.encode(*parked.record));
        }
        for (const auto& released : request.released) {
            released_customers_.add(journeys::to_text(released.customer));
            released_through_.add(released.through);
        }
        for (const auto& note : request.attempts) notes_[note.intent] = note;
        auto& progress = progress_[request.partition];
        if (!progress || progress->sequence < request.sequence) progress = &request;
    }

    Intent& intent(const FlushRequest& request, const std::string& customer, IntentId id) {
        auto& entry = intents_[id];
        entry.partition = request.partition;
        entry.customer = customer;
        entry.epoch = request.epoch;
        return entry;
    }

    void take(const FlushRequest& request, const CustomerWrite& write, const std::string& customer,
              std::uint64_t& number, const journeys::TimelineEntry& entry) {
        timeline_.customers.add(customer);
        timeline_.revisions.add(write.revision);
        timeline_.numbers.add(number++);
        timeline_.partitions.add(static_cast<std::int16_t>(request.partition));
        timeline_.ats.add(entry.at);
        timeline_.kinds.add(journeys::to_text(entry.kind));
        timeline_.journeys.add(entry.journey);
        timeline_.versions.add(entry.version);
        timeline_.keys.add(entry.key);
        timeline_.steps.add(entry.step);
        timeline_.channels.add(entry.channel);
        timeline_.templates.add(entry.template_name);
        timeline_.topics.add(entry.topic);
        timeline_.reasons.add(entry.reason);
        if (entry.intent)
            timeline_.intents.add(entry.intent);
        else
            timeline_.intents.add_null();
        timeline_.datas.add(entry.data);
        if (entry.until != Timestamp{})
            timeline_.untils.add(entry.until);
        else
            timeline_.untils.add_null();
        timeline_.held_outs.add(entry.held_out);
        if (entry.kind != journeys::EntryKind::consent) return;
        consents_.ats.add(entry.at);
        consents_.customers.add(customer);
        consents_.channels.add(entry.channel);
        consents_.topics.add(entry.topic);
        consents_.states.add(entry.reason);
        consents_.datas.add(entry.data);
    }
    void take(const FlushRequest& request, const CustomerWrite&, const std::string& customer,
              std::uint64_t&, const journeys::IntentOpened& opened) {
        auto& entry = intent(request, customer, opened.id);
        entry.opened = &opened;
        entry.granted = nullptr;
        entry.state = IntentState::pending;
        entry.reason.clear();
    }
    void take(const FlushRequest& request, const CustomerWrite&, const std::string& customer,
              std::uint64_t&, const journeys::IntentGranted& granted) {
        auto& entry = intent(request, customer, granted.id);
        entry.granted = &granted;
        entry.state = IntentState::claimed;
        entry.reason.clear();
    }
    void take(const FlushRequest& request, const CustomerWrite&, const std::string& customer,
              std::uint64_t&, const journeys::IntentRecalled& recalled) {
        auto& entry = intent(request, customer, recalled.id);
        // Of a claimed one the channel knows what became of it: its word settles the row.
        if (is_settled(entry.state) || entry.granted) return;
        entry.state = IntentState::recalled;
        entry.is_settled = false;
        entry.reason = recalled.reason;
    }
    void take(const FlushRequest& request, const CustomerWrite&, const std::string& customer,
              std::uint64_t&, const journeys::IntentSettled& settled) {
        auto& entry = intent(request, customer, settled.id);
        if (entry.state == IntentState::accepted) return;
        entry.state = settled.state;
        entry.is_settled = true;
        entry.reason = settled.detail;
    }
    void take(const FlushRequest& request, const CustomerWrite&, const std::string&, std::uint64_t&,
              const journeys::TransferOut& out) {
        journeys::Record record;
        record.customer = out.to;
        record.body = out.transfer;
        add_move(request, record);
    }
    void take(const FlushRequest& request, const CustomerWrite&, const std::string&, std::uint64_t&,
              const journeys::ForwardOut& out) {
        auto record = out.record;
        record.customer = out.to;
        record.forwarded_from = out.id;
        add_move(request, record);
    }
    void take(const FlushRequest&, const CustomerWrite&, const std::string&, std::uint64_t&,
              const journeys::Erased& erased) {
        erased_.add(journeys::to_text(erased.customer));
    }

    void take(const FlushRequest&, const CustomerWrite&, const std::string&, std::uint64_t&,
              const journeys::CouponTaken& taken) {
        coupon_pools_.add(taken.pool);
        coupon_codes_.add(taken.code);
        coupon_leases_.add(taken.lease);
        coupon_runs_.add(IntentId{taken.run.high, taken.run.low});
        coupon_intents_.add(taken.intent);
        coupon_ats_.add(taken.at);
    }

    void add_statement(std::string sql, SqlParams params) {
        statements_.push_back({std::move(sql), std::move(params)});
    }

    Result<void> run(Connection& connection) {
        const auto given = connection.run_all(std::exchange(statements_, {}));
        if (!given) return given.error();
        const auto coupons_at = std::exchange(coupons_at_, std::nullopt);
        if (!coupons_at || (*given)[*coupons_at].size() == coupon_codes_.size()) return {};
        return Error{ErrorCode::fenced, "a coupon's code is no longer this process's to give"};
    }

    static bool is_settled(IntentState state) {
        return state == IntentState::accepted || state == IntentState::rejected;
    }

    void add_move(const FlushRequest& request, const journeys::Record& record) {
        moves_.add(static_cast<std::int16_t>(request.partition));
        move_customers_.add(journeys::to_text(record.customer));
        move_kinds_.add(static_cast<std::int16_t>(codec_.kind(record)));
        move_hashes_.add(codec_.message_hash(record));
        move_bodies_.add(codec_.encode(record));
    }

    /// What is erased goes first: behind it nothing may be left.
    void add_outbox() {
        add_erasures();
        add_opened();
        add_changed();
        add_attempts();
    }

    void add_erasures() {
        if (erased_.size() == 0) return;
        SqlParams params;
        params.add(erased_);
        for (const char* sql : {// In the order in which other flushes take them.
                                "SELECT FROM outbox WHERE customer = ANY($1) ORDER BY intent "
                                "FOR UPDATE",
                                // Given all the same, and to nobody that could be told.
                                "UPDATE coupons c SET run = '00000000-0000-0000-0000-"
                                "000000000000', intent = NULL FROM outbox o WHERE c.intent = "
                                "o.intent AND o.customer = ANY($1)",
                                "DELETE FROM outbox WHERE customer = ANY($1)",
                                "DELETE FROM snapshots WHERE customer = ANY($1)",
                                "DELETE FROM timeline WHERE customer = ANY($1)",
                                "DELETE FROM sandbox_messages WHERE customer = ANY($1)",
                                "DELETE FROM rejects WHERE ids && $1",
                                // Whose those are could not be read; rather too many than one left.
                                "DELETE FROM rejects USING unnest($1::bytea[]) AS erased(id) WHERE "
                                "ids = '{}' AND position(substring(erased.id FROM position(':' IN "
                                "erased.id) + 1) IN body) > 0"})
            add_statement(sql, params);
    }

    /// Each code must still be free and leased under the number that it was taken by: then nobody
    /// else has given it out, and nobody can. Where one is not, another process gives codes out,
    /// and this one is replaced.
    void add_coupons() {
        if (coupon_codes_.size() == 0) return;
        SqlParams params;
        params.add(coupon_pools_).add(coupon_codes_).add(coupon_leases_).add(coupon_runs_);
        params.add(coupon_intents_).add(coupon_ats_);
        coupons_at_ = statements_.size();
        add_statement(
            "UPDATE coupons c SET run = t.run, intent = t.intent, given_at = t.at, lease = NULL "
            "FROM unnest($1, $2, $3, $4, $5, $6) AS t (pool, code, lease, run, intent, at) "
            "WHERE c.pool = t.pool AND c.code = t.code AND c.run IS NULL AND c.lease = t.lease "
            "RETURNING c.number",
            std::move(params));
    }

    /// In the order of the key, so that two flushes cannot wait for each other.
    void add_snapshots() {
        for (auto next = snapshots_.begin(); next != snapshots_.end();) {
            SqlArray customers{Type::bytea}, partitions{Type::int2}, versions{Type::int2},
                revisions{Type::int8}, applied{Type::int8}, wakes{Type::timestamptz},
                blocks{Type::bytea};
            for (std::size_t i = 0; i < snapshots_per_statement && next != snapshots_.end();
                 ++i, ++next) {
                const auto& [partition, write] = next->second;
                customers.add(next->first);
                partitions.add(static_cast<std::int16_t>(partition));
                versions.add(static_cast<std::int16_t>(
                    write->block->empty() ? 0 : static_cast<unsigned char>(write->block->front())));
                revisions.add(write->revision);
                applied.add(write->applied);
                if (write->wake_at == journeys::no_time)
                    wakes.add_null();
                else
                    wakes.add(write->wake_at);
                blocks.add(*write->block);
            }
            SqlParams params;
            params.add(customers).add(partitions).add(versions).add(revisions).add(applied);
            params.add(wakes).add(blocks).add(now_).add(journeys::when_published);
            // An earlier wake_at stays until it has passed: so the index is rarely touched. That
            // of one who waits for an event or a publication never would.
            std::string sql =
                "INSERT INTO snapshots AS s (customer, partition, schema_version, "
                "revision, applied, wake_at, block) "
                "SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7) "
                "ON CONFLICT (customer) DO UPDATE SET partition = excluded.partition, "
                "schema_version = excluded.schema_version, revision = excluded.revision, "
                "applied = excluded.applied, block = excluded.block, "
                "wake_at = CASE WHEN s.wake_at <= $8 OR s.wake_at = $9 THEN excluded.wake_at "
                "ELSE least(s.wake_at, excluded.wake_at) END ";
            sql += journeys::is_mutant(journeys::Mutant::snapshot_guarded_by_applied)
                       ? "WHERE s.applied < excluded.applied"
                       : "WHERE s.revision < excluded.revision";
            add_statement(std::move(sql), std::move(params));
        }
    }

    void add_opened() {
        SqlArray intents{Type::uuid}, partitions{Type::int2}, customers{Type::bytea},
            journeys{Type::text}, versions{Type::int8}, keys{Type::text}, steps{Type::text},
            channels{Type::text}, templates{Type::text}, topics{Type::text}, priorities{Type::int4},
            deliveries{Type::int2}, states{Type::text}, reasons{Type::text}, addresses{Type::bytea},
            payloads{Type::bytea}, epochs{Type::int8}, opened_ats{Type::timestamptz},
            expires_ats{Type::timestamptz};
        for (const auto& [id, intent] : intents_) {
            if (!intent.opened) continue;
            const auto& opened = *intent.opened;
            intents.add(id);
            partitions.add(static_cast<std::int16_t>(intent.partition));
            customers.add(intent.customer);
            journeys.add(opened.journey);
            versions.add(opened.version);
            keys.add(opened.key);
            steps.add(opened.step);
            channels.add(opened.channel);
            templates.add(opened.template_name);
            topics.add(opened.topic);
            priorities.add(std::int32_t{opened.priority});
            deliveries.add(static_cast<std::int16_t>(opened.delivery));
            states.add(to_text(intent.state));
            reasons.add(intent.reason);
            addresses.add(intent.granted ? std::string_view{intent.granted->address} : "");
            payloads.add(intent.granted ? std::string_view{intent.granted->payload} : "");
            epochs.add(intent.granted ? intent.epoch : 0);
            opened_ats.add(opened.at);
            expires_ats.add(opened.expires_at);
        }
        if (intents.size() == 0) return;
        SqlParams params;
        params.add(intents).add(partitions).add(customers).add(journeys).add(versions).add(keys);
        params.add(steps).add(channels).add(templates).add(topics).add(priorities);
        params.add(deliveries).add(states).add(reasons).add(addresses).add(payloads).add(epochs);
        params.add(opened_ats).add(expires_ats).add(now_);
        add_statement(
            "INSERT INTO outbox AS o (intent, partition, customer, journey, version, key, "
            "step, channel, template, topic, priority, delivery, state, reason, address, "
            "payload, epoch, opened_at, expires_at, updated_at) "
            "SELECT *, $20 FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, "
            "$13, $14, $15, $16, $17, $18, $19) "
            "ON CONFLICT (intent) DO UPDATE SET partition = excluded.partition, "
            "customer = excluded.customer, version = excluded.version, "
            "priority = excluded.priority, state = excluded.state, "
            "reason = excluded.reason, address = excluded.address, "
            "payload = excluded.payload, epoch = excluded.epoch, "
            "attempts = 0, failed = false, "
            "expires_at = excluded.expires_at, updated_at = excluded.updated_at "
            "WHERE o.state IN ('pending', 'claimed', 'recalled')",
            std::move(params));
    }

    void add_changed() {
        SqlArray intents{Type::uuid}, states{Type::text}, reasons{Type::text},
            granted{Type::boolean}, addresses{Type::bytea}, payloads{Type::bytea},
            epochs{Type::int8}, settled{Type::boolean};
        for (const auto& [id, intent] : intents_) {
            if (intent.opened) continue;
            intents.add(id);
            states.add(to_text(intent.state));
            reasons.add(intent.reason);
            granted.add(intent.granted != nullptr);
            addresses.add(intent.granted ? std::string_view{intent.granted->address} : "");
            payloads.add(intent.granted ? std::string_view{intent.granted->payload} : "");
            epochs.add(intent.epoch);
            settled.add(intent.is_settled);
        }
        if (intents.size() == 0) return;
        SqlParams params;
        params.add(intents).add(states).add(reasons).add(granted).add(addresses).add(payloads);
        params.add(epochs).add(now_).add(settled);
        add_statement(
            "UPDATE outbox o SET state = c.state, reason = c.reason, "
            "address = CASE WHEN c.granted THEN c.address ELSE o.address END, "
            "payload = CASE WHEN c.granted THEN c.payload ELSE o.payload END, "
            "epoch = CASE WHEN c.granted THEN c.epoch ELSE o.epoch END, "
            "attempts = CASE WHEN c.granted THEN 0 ELSE o.attempts END, "
            "failed = o.failed AND NOT c.granted, updated_at = $8 "
            "FROM unnest($1, $2, $3, $4, $5, $6, $7, $9) AS c (intent, state, reason, "
            "granted, address, payload, epoch, settled) WHERE o.intent = c.intent AND CASE c.state "
            "WHEN 'accepted' THEN true "
            "WHEN 'rejected' THEN o.state <> 'accepted' "
            "WHEN 'claimed' THEN o.state IN ('pending', 'claimed', 'unknown') "
            "WHEN 'pending' THEN o.state = 'claimed' "
            "WHEN 'recalled' THEN o.state = 'pending' OR c.settled AND o.state = 'claimed' "
            "ELSE o.state IN ('pending', 'claimed') END",
            std::move(params));
    }

    /// Behind what settles: of a row that is settled there is nothing more to know. By the key: the
    /// index of what is claimed would be read whole.
    void add_attempts() {
        if (notes_.empty()) return;
        SqlArray intents{Type::uuid}, attempts{Type::int4}, failed{Type::boolean};
        for (const auto& [id, note] : notes_) {
            intents.add(id);
            attempts.add(std::int32_t{note.attempts});
            failed.add(note.failed);
        }
        SqlParams params;
        params.add(intents).add(attempts).add(failed).add(now_);
        add_statement(
            "UPDATE outbox o SET attempts = n.attempts, failed = n.failed, updated_at = $4 "
            "FROM unnest($1, $2, $3) AS n (intent, attempts, failed) "
            "WHERE o.intent = n.intent AND CASE WHEN o.state = 'claimed' THEN true ELSE false END",
            std::move(params));
    }

    void add_timeline() {
        auto& t = timeline_;
        if (t.customers.size() == 0) return;
        SqlParams params;
        params.add(t.customers).add(t.revisions).add(t.numbers).add(t.partitions).add(t.ats);
        params.add(t.kinds).add(t.journeys).add(t.versions).add(t.keys).add(t.steps);
        params.add(t.channels).add(t.templates).add(t.topics).add(t.reasons).add(t.intents);
        params.add(t.datas).add(t.untils).add(t.held_outs);
        add_statement(
            "INSERT INTO timeline (customer, revision, n, partition, at, kind, journey, "
            "version, key, step, channel, template, topic, reason, intent, data, until, "
            "held_out) SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, "
            "$12, $13, $14, $15, $16, $17, $18) ON CONFLICT DO NOTHING",
            std::move(params));
    }

    /// For the audit log, which has a writer of its own.
    void add_consents() {
        auto& c = consents_;
        if (c.customers.size() == 0) return;
        SqlParams params;
        params.add(c.ats).add(c.customers).add(c.channels).add(c.topics).add(c.states).add(c.datas);
        add_statement("INSERT INTO consent_changes (at, customer, channel, topic, state, data) "
                      "SELECT * FROM unnest($1, $2, $3, $4, $5, $6)",
                      std::move(params));
    }

    void add_moves() {
        if (moves_.size() == 0) return;
        SqlParams params;
        params.add(moves_).add(move_customers_).add(move_kinds_).add(move_hashes_);
        params.add(move_bodies_);
        add_statement("INSERT INTO transfers (partition, customer, kind, message_hash, body) "
                      "SELECT * FROM unnest($1, $2, $3, $4, $5)",
                      std::move(params));
    }

    void add_parked() {
        if (parked_offsets_.size() == 0) return;
        SqlParams params;
        params.add(parked_partitions_).add(parked_offsets_).add(parked_customers_);
        params.add(parked_reasons_).add(parked_kinds_).add(parked_times_).add(parked_bodies_);
        // No timer finds them until they are released.
        SqlParams customers;
        customers.add(parked_customers_);
        add_statement("UPDATE snapshots SET wake_at = NULL WHERE customer = ANY($1) "
                      "AND wake_at IS NOT NULL",
                      std::move(customers));
        add_statement("INSERT INTO parked (partition, \"offset\", customer, reason, kind, "
                      "accepted_at, body) SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7) "
                      "ON CONFLICT (partition, \"offset\") WHERE \"offset\" > 0 "
                      "DO UPDATE SET reason = excluded.reason, released = false",
                      std::move(params));
    }

    void add_released() {
        if (released_customers_.size() == 0) return;
        SqlParams params;
        params.add(released_customers_).add(released_through_);
        add_statement("DELETE FROM parked p USING unnest($1, $2) AS r (customer, through) "
                      "WHERE p.customer = r.customer AND p.\"offset\" <= r.through",
                      std::move(params));
    }

    void add_progress() {
        SqlArray partitions{Type::int2}, sequences{Type::int8}, watermarks{Type::int8},
            publications{Type::int8}, swept{Type::int8}, closed{Type::timestamptz};
        for (const auto& [partition, request] : progress_) {
            partitions.add(static_cast<std::int16_t>(partition));
            sequences.add(request->sequence);
            watermarks.add(request->watermark);
            publications.add(request->publication);
            swept.add(request->swept);
            closed.add(std::max(request->closed, Timestamp{}));
        }
        SqlParams params;
        params.add(partitions).add(sequences).add(watermarks).add(publications).add(swept);
        params.add(closed).add(now_);
        add_statement(
            "UPDATE progress p SET flush_sequence = n.sequence, "
            "watermark = greatest(p.watermark, n.watermark), publication = n.publication, "
            "swept = n.swept, closed = greatest(p.closed, n.closed), "
            "flushed_at = greatest(p.flushed_at, $7) "
            "FROM unnest($1, $2, $3, $4, $5, $6) AS n (partition, sequence, watermark, "
            "publication, swept, closed) WHERE p.partition = n.partition",
            std::move(params));
    }

    /// Rarely: those of a partition are written when the position has passed a publication.
    void add_eras() {
        SqlArray written{Type::int2}, partitions{Type::int2}, numbers{Type::int2},
            publications{Type::int8}, untils{Type::timestamptz};
        for (const auto& [partition, request] : progress_) {
            if (!request->eras_changed || !request->eras) continue;
            written.add(static_cast<std::int16_t>(partition));
            std::int16_t number = 0;
            for (const auto& era : *request->eras) {
                partitions.add(static_cast<std::int16_t>(partition));
                numbers.add(number++);
                publications.add(era.publication);
                untils.add(era.until);
            }
        }
        if (written.size() == 0) return;
        SqlParams which;
        which.add(written);
        add_statement("DELETE FROM publication_eras WHERE partition = ANY($1)", std::move(which));
        SqlParams params;
        params.add(partitions).add(numbers).add(publications).add(untils);
        add_statement("INSERT INTO publication_eras (partition, n, publication, until) "
                      "SELECT * FROM unnest($1, $2, $3, $4)",
                      std::move(params));
    }

    struct Timeline {
        SqlArray customers{Type::bytea}, revisions{Type::int8}, numbers{Type::int8},
            partitions{Type::int2}, ats{Type::timestamptz}, kinds{Type::text}, journeys{Type::text},
            versions{Type::int8}, keys{Type::text}, steps{Type::text}, channels{Type::text},
            templates{Type::text}, topics{Type::text}, reasons{Type::text}, intents{Type::uuid},
            datas{Type::bytea}, untils{Type::timestamptz}, held_outs{Type::boolean};
    };
    struct Consents {
        SqlArray ats{Type::timestamptz}, customers{Type::bytea}, channels{Type::text},
            topics{Type::text}, states{Type::text}, datas{Type::bytea};
    };
    struct Snapshot {
        actors::Partition partition = 0;
        const CustomerWrite* write = nullptr;
    };

    const LogCodec& codec_;
    Timestamp now_;
    std::map<std::string, Snapshot> snapshots_;
    std::map<IntentId, Intent> intents_;
    Timeline timeline_;
    Consents consents_;
    SqlArray erased_{Type::bytea};
    SqlArray moves_{Type::int2}, move_customers_{Type::bytea}, move_kinds_{Type::int2},
        move_hashes_{Type::int8}, move_bodies_{Type::bytea};
    SqlArray parked_partitions_{Type::int2}, parked_offsets_{Type::int8},
        parked_customers_{Type::bytea}, parked_reasons_{Type::text}, parked_kinds_{Type::int2},
        parked_times_{Type::timestamptz}, parked_bodies_{Type::bytea};
    SqlArray released_customers_{Type::bytea}, released_through_{Type::int8};
    std::map<IntentId, actors::AttemptNote> notes_; ///< The newest of each.
    SqlArray coupon_pools_{Type::text}, coupon_codes_{Type::text}, coupon_leases_{Type::int8},
        coupon_runs_{Type::uuid}, coupon_intents_{Type::uuid}, coupon_ats_{Type::timestamptz};
    std::map<actors::Partition, const FlushRequest*> progress_;
    std::vector<SqlStatement> statements_;
    std::optional<std::size_t> coupons_at_; ///< Which of them gives codes out.
};

} // namespace

std::string_view to_text(IntentState state) {
    switch (state) {
    case IntentState::pending: return "pending";
    case IntentState::claimed: return "claimed";
    case IntentState::accepted: return "accepted";
    case IntentState::rejected: return "rejected";
    case IntentState::unknown: return "unknown";
    case IntentState::recalled: return "recalled";
    }
    return "";
}

Result<FlushAnswers> write_flush(Connection& connection, const FlushRequests& requests,
                                 const LogCodec& codec, Timestamp now) {
    if (actors::failpoint("flush_begin.before"))
        return Error{ErrorCode::storage_unavailable, "failpoint"};
    FlushAnswers answers;
    SqlRows owners;
    auto transaction = Transaction::begin(connection, fence(requests), owners);
    if (!transaction) return transaction.error();
    auto left = requests;
    leave_out(owners, left, answers.fenced);
    // What was written before, by an attempt whose answer was lost, may have left something too.
    answers.moves = left.size() + answers.fenced.size() < requests.size();
    if (left.empty()) return answers;
    Rows rows{left, codec, now};
    if (auto written = rows.write(connection); !written) return written.error();
    answers.moves = answers.moves || rows.has_moves();
    if (rows.has_claims() && actors::failpoint("claim.before"))
        return Error{ErrorCode::storage_unavailable, "failpoint"};
    if (actors::failpoint("flush_commit.before"))
        return Error{ErrorCode::storage_unavailable, "failpoint"};
    if (auto committed = transaction->commit(); !committed) return committed.error();
    if (journeys::is_mutant(journeys::Mutant::outbox_outside_transaction))
        if (auto written = rows.write_outbox(connection); !written) return written.error();
    (void)actors::failpoint("flush_commit.after");
    return answers;
}

} // namespace runtime
