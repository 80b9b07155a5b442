#include "runtime/privacy.hpp"

#include "journeys/policy.hpp"
#include "runtime/customer_json.hpp"
#include "runtime/customer_search.hpp"
#include "runtime/database_session.hpp"
#include "runtime/listener/request.hpp"
#include "schema/log_json.hpp"
#include "schema/record_codec.hpp"
#include "schema/timestamp_text.hpp"

#include <chrono>
#include <future>
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

std::string text_of(const pqxx::field& field) { return pqxx::binarystring{field}.str(); }

/// Ids as PostgreSQL writes an array of bytea.
std::string bytea_array(const std::vector<std::string>& ids) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text = "{";
    for (const auto& id : ids) {
        text += text.size() > 1 ? ",\"\\\\x" : "\"\\\\x";
        for (const char c : id) {
            text += digits[static_cast<unsigned char>(c) >> 4];
            text += digits[static_cast<unsigned char>(c) & 15];
        }
        text += '"';
    }
    return text + '}';
}

std::string int_array(const std::vector<std::int64_t>& numbers) {
    std::string text = "{";
    for (const auto number : numbers) text += (text.size() > 1 ? "," : "") + std::to_string(number);
    return text + '}';
}

std::vector<std::string> all_ids(const Customer& customer) {
    std::vector<std::string> ids{journeys::to_text(customer.id)};
    for (const auto& id : customer.known_ids) ids.push_back(journeys::to_text(id));
    return ids;
}

} // namespace

struct PrivacyDesk::Impl {
    PrivacyParts parts;
    DatabaseSession session;

    explicit Impl(PrivacyParts given) : parts(std::move(given)), session(parts.conninfo) {}

    std::shared_ptr<const Customer> find(const std::string& id) {
        auto promise = std::make_shared<std::promise<std::shared_ptr<const Customer>>>();
        find_customer(parts.system, id, [promise](std::shared_ptr<const Customer> customer) {
            promise->set_value(std::move(customer));
        });
        return promise->get_future().get();
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

    /// Until every snapshot is behind the erasure, so that no replay reads what is overwritten.
    Result<void> wait_for(const std::vector<std::shared_ptr<journeys::Record>>& records) {
        const auto until = std::chrono::steady_clock::now() + patience;
        while (true) {
            std::size_t behind = 0;
            for (const auto& record : records) {
                const auto partition = actors::partition_of(record->customer, parts.partitions);
                const auto watermark = session.run([&](pqxx::work& work) {
                    return work
                        .exec_params1("SELECT watermark FROM progress WHERE partition = $1",
                                      partition)[0]
                        .as<std::uint64_t>();
                });
                if (!watermark) return watermark.error();
                behind += *watermark < record->offset;
            }
            if (behind == 0) return {};
            if (std::chrono::steady_clock::now() > until)
                return Error{ErrorCode::unavailable,
                             "the erasure stands in the log and is not yet flushed; ask again"};
            std::this_thread::sleep_for(look_again);
        }
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
            rows += work.exec_params("UPDATE log SET kind = $3, message_hash = 0, customer = $4, "
                                     "body = $5 WHERE customer_hash = ANY($1::bigint[]) AND "
                                     "customer = ANY($2::bytea[])",
                                     int_array(hashes), whom,
                                     static_cast<int>(journeys::RecordKind::erasure),
                                     pqxx::binarystring{"user:erased", 11},
                                     pqxx::binarystring{body.data(), body.size()})
                        .affected_rows();
            for (const char* table :
                 {"snapshots", "outbox", "timeline", "sandbox_messages", "parked", "transfers"})
                rows += work.exec_params("DELETE FROM " + std::string{table} +
                                             " WHERE customer = ANY($1::bytea[])",
                                         whom)
                            .affected_rows();
            return rows;
        });
    }

    void note(const char* action, const std::string& id, const std::string& actor,
              const std::string& detail) {
        AuditEntry entry;
        entry.at = parts.now();
        entry.actor = actor;
        entry.action = action;
        entry.subject = parts.suppressions.subject(id);
        entry.detail = detail;
        (void)parts.audit.add({entry});
    }
};

PrivacyDesk::PrivacyDesk(PrivacyParts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}
PrivacyDesk::~PrivacyDesk() = default;

Result<std::size_t> PrivacyDesk::erase(const std::string& id, const std::string& actor) {
    const auto customer = impl_->find(id);
    if (!customer) return Error{ErrorCode::not_found, "no such customer"};
    const auto ids = all_ids(*customer);
    if (auto kept = impl_->keep_suppressions(*customer); !kept) return kept.error();
    auto records = impl_->append(ids);
    if (!records) return records.error();
    if (auto flushed = impl_->wait_for(*records); !flushed) return flushed.error();
    auto rows = impl_->scrub(ids);
    if (!rows) return rows.error();
    impl_->note("customer.erased", ids.front(), actor,
                std::to_string(ids.size()) + " ids, " + std::to_string(*rows) + " rows");
    return *rows;
}

Result<std::string> PrivacyDesk::export_all(const std::string& id, const std::string& actor) {
    const auto customer = impl_->find(id);
    if (!customer) return Error{ErrorCode::not_found, "no such customer"};
    const auto ids = all_ids(*customer);
    std::vector<std::int64_t> hashes;
    for (const auto& each : ids)
        hashes.push_back(
            static_cast<std::int64_t>(journeys::hash(*journeys::parse_customer_id(each))));
    const auto& parts = impl_->parts;
    std::string out = "{\"ids\":[";
    for (std::size_t i = 0; i < ids.size(); ++i) out += (i == 0 ? "" : ",") + json_text(ids[i]);
    out += "],\"profile\":" + customer_json(*customer, *parts.catalog(), parts.now());
    out += ",\"consents\":[";
    static constexpr std::string_view states[]{"never", "subscribed", "unsubscribed", "pending"};
    for (std::size_t i = 0; i < customer->consents.size(); ++i) {
        const auto& consent = customer->consents[i];
        out += std::string{i == 0 ? "" : ","} + "{\"channel\":" + json_text(consent.channel) +
               ",\"topic\":" + json_text(consent.topic) +
               ",\"state\":" + json_text(states[static_cast<std::size_t>(consent.state)]) +
               ",\"at\":" + json_text(schema::timestamp_text(consent.at)) +
               ",\"source\":" + json_text(consent.source) +
               ",\"text_version\":" + json_text(consent.text_version) + '}';
    }
    out += ']';
    auto read = impl_->session.run([&](pqxx::work& work) {
        const auto whom = bytea_array(ids);
        const auto list = [&](std::string_view name, const pqxx::result& rows, auto line) {
            out += ",\"" + std::string{name} + "\":[";
            bool is_first = true;
            for (const auto& row : rows) {
                out += (std::exchange(is_first, false) ? "" : ",") + line(row);
            }
            out += ']';
        };
        const auto fields = [](const pqxx::row& row) {
            std::string object = "{";
            for (int i = 0; i < static_cast<int>(row.size()); ++i) {
                if (row[i].is_null()) continue;
                object += (object.size() > 1 ? "," : "") + json_text(row[i].name()) + ':' +
                          json_text(row[i].as<std::string>());
            }
            return object + '}';
        };
        list("timeline",
             work.exec_params("SELECT at, kind, journey, key, step, channel, template, topic, "
                              "reason, intent, until FROM timeline WHERE customer = "
                              "ANY($1::bytea[]) ORDER BY at, revision, n",
                              whom),
             fields);
        list("messages",
             work.exec_params("SELECT intent, journey, step, channel, template, topic, state, "
                              "reason, convert_from(address, 'UTF8') AS address, "
                              "convert_from(payload, 'UTF8') AS payload, opened_at, updated_at "
                              "FROM outbox WHERE customer = ANY($1::bytea[]) ORDER BY opened_at",
                              whom),
             fields);
        list("log",
             work.exec_params("SELECT \"offset\", "
                              "(extract(epoch FROM accepted_at) * 1000)::bigint, kind, customer, "
                              "body FROM log WHERE customer_hash = ANY($2::bigint[]) AND "
                              "customer = ANY($1::bytea[]) ORDER BY accepted_at, \"offset\"",
                              whom, int_array(hashes)),
             [](const pqxx::row& row) {
                 schema::StoredRecord record;
                 record.header.offset = row[0].as<std::uint64_t>();
                 record.header.accepted_at = journeys::from_millis(row[1].as<std::int64_t>());
                 record.kind = static_cast<journeys::RecordKind>(row[2].as<int>());
                 record.header.customer =
                     journeys::parse_customer_id(text_of(row[3])).value_or(CustomerId{});
                 record.body = text_of(row[4]);
                 return schema::to_log_line(record);
             });
    });
    if (!read) return read.error();
    impl_->note("customer.exported", ids.front(), actor, "");
    return out + '}';
}

} // namespace runtime
