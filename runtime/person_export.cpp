#include "runtime/person_export.hpp"

#include "journeys/policy.hpp"
#include "runtime/customer_json.hpp"
#include "runtime/database_session.hpp"
#include "runtime/listener/request.hpp"
#include "runtime/sql_arrays.hpp"
#include "schema/log_json.hpp"
#include "schema/timestamp_text.hpp"

#include <set>
#include <utility>

namespace runtime {

using journeys::Customer;
using journeys::CustomerId;
using journeys::Result;

namespace {

std::string text_of(const pqxx::field& field) { return pqxx::binarystring{field}.str(); }

/// `,"data":{…}` of a timeline's line; nothing where it has none.
std::string data_member(const pqxx::field& field) {
    const auto data = text_of(field);
    if (data.empty() || !journeys::PackedView::validate(data)) return {};
    std::string member = ",\"data\":";
    journeys::append_json(member, journeys::PackedView{data});
    return member;
}

/// Of offset, acceptance in milliseconds, kind, customer and body.
std::string record_line(const pqxx::row& row) {
    schema::StoredRecord record;
    record.header.offset = row[0].as<std::uint64_t>();
    record.header.accepted_at = journeys::from_millis(row[1].as<std::int64_t>());
    record.kind = static_cast<journeys::RecordKind>(row[2].as<int>());
    record.header.customer = journeys::parse_customer_id(text_of(row[3])).value_or(CustomerId{});
    record.body = text_of(row[4]);
    return schema::to_log_line(record);
}

/// Two members of the export: what the customer's own state holds, and what is kept of addresses,
/// whoever they belong to.
Result<std::string> suppressions_of(const PersonParts& person) {
    const auto& customer = person.customer;
    std::string out = ",\"suppressions\":[";
    for (const auto& one : customer.suppressions)
        out += (out.back() == '[' ? "" : ",") + ("{\"channel\":" + json_text(one.channel)) +
               ",\"reason\":" + json_text(one.reason) +
               ",\"at\":" + json_text(schema::timestamp_text(one.at)) + '}';
    std::set<std::pair<std::string, std::string>> addresses;
    for (const auto& channel : person.catalog.settings().channels)
        if (auto address = journeys::address_of(customer, channel); !address.empty())
            addresses.emplace(channel.address, std::move(address));
    for (const auto& id : customer.known_ids) {
        if (id.space == journeys::IdNamespace::email) addresses.emplace("email", id.value);
        if (id.space == journeys::IdNamespace::phone) addresses.emplace("phone", id.value);
    }
    const auto kept = person.suppressions.find(addresses);
    if (!kept) return kept.error();
    out += "],\"suppressed_addresses\":[";
    for (const auto& one : *kept)
        out += (out.back() == '[' ? "" : ",") + ("{\"kind\":" + json_text(one.kind)) +
               ",\"address\":" + json_text(one.address) + ",\"reason\":" + json_text(one.reason) +
               ",\"source\":" + json_text(one.source) +
               ",\"at\":" + json_text(schema::timestamp_text(one.at)) + '}';
    return out + ']';
}

} // namespace

Result<std::string> export_person(DatabaseSession& session, const PersonParts& person) {
    const auto& customer = person.customer;
    const auto& ids = person.ids;
    std::vector<std::int64_t> hashes;
    for (const auto& each : ids)
        hashes.push_back(
            static_cast<std::int64_t>(journeys::hash(*journeys::parse_customer_id(each))));
    std::string out = "{\"ids\":[";
    for (std::size_t i = 0; i < ids.size(); ++i) out += (i == 0 ? "" : ",") + json_text(ids[i]);
    out += "],\"profile\":" + customer_json(customer, person.catalog, person.now);
    out += ",\"consents\":[";
    static constexpr std::string_view states[]{"never", "subscribed", "unsubscribed", "pending"};
    for (std::size_t i = 0; i < customer.consents.size(); ++i) {
        const auto& consent = customer.consents[i];
        out += std::string{i == 0 ? "" : ","} + "{\"channel\":" + json_text(consent.channel) +
               ",\"topic\":" + json_text(consent.topic) +
               ",\"state\":" + json_text(states[static_cast<std::size_t>(consent.state)]) +
               ",\"at\":" + json_text(schema::timestamp_text(consent.at)) +
               ",\"source\":" + json_text(consent.source) +
               ",\"text_version\":" + json_text(consent.text_version) + '}';
    }
    out += ']';
    const auto suppressions = suppressions_of(person);
    if (!suppressions) return suppressions.error();
    out += *suppressions;
    auto read = session.run([&](pqxx::work& work) {
        std::string lists; // Begun anew with every try.
        const auto whom = bytea_array(ids);
        const auto list = [&](std::string_view name, const pqxx::result& rows, auto line) {
            lists += ",\"" + std::string{name} + "\":[";
            bool is_first = true;
            for (const auto& row : rows) {
                lists += (std::exchange(is_first, false) ? "" : ",") + line(row);
            }
            lists += ']';
        };
        const auto fields = [](const pqxx::row& row, int first = 0) {
            std::string object = "{";
            for (int i = first; i < static_cast<int>(row.size()); ++i) {
                if (row[i].is_null()) continue;
                object += (object.size() > 1 ? "," : "") + json_text(row[i].name()) + ':' +
                          json_text(row[i].as<std::string>());
            }
            return object + '}';
        };
        list("timeline",
             work.exec_params("SELECT data, at, kind, journey, key, step, channel, template, "
                              "topic, reason, intent, until FROM timeline WHERE customer = "
                              "ANY($1::bytea[]) ORDER BY at, revision, n",
                              whom),
             [&](const pqxx::row& row) {
                 auto object = fields(row, 1);
                 object.pop_back();
                 return object + data_member(row[0]) + '}';
             });
        list("decisions",
             work.exec_params("SELECT at, kind, intent, data FROM timeline WHERE customer = "
                              "ANY($1::bytea[]) AND kind IN ('decide', 'reward', 'take_back') "
                              "ORDER BY at, revision, n",
                              whom),
             [&](const pqxx::row& row) {
                 std::string object = "{\"at\":" + json_text(row[0].as<std::string>()) +
                                      ",\"kind\":" + json_text(row[1].as<std::string>());
                 if (!row[2].is_null())
                     object += ",\"decision\":" + json_text(row[2].as<std::string>());
                 return object + data_member(row[3]) + '}';
             });
        list("messages",
             work.exec_params("SELECT intent, journey, step, channel, template, topic, state, "
                              "reason, convert_from(address, 'UTF8') AS address, "
                              "convert_from(payload, 'UTF8') AS payload, opened_at, updated_at "
                              "FROM outbox WHERE customer = ANY($1::bytea[]) ORDER BY opened_at",
                              whom),
             fields);
        list("coupons",
             work.exec_params("SELECT c.pool, c.code, c.given_at, c.expires_at FROM coupons c JOIN "
                              "outbox o ON o.intent = c.intent WHERE o.customer = "
                              "ANY($1::bytea[]) ORDER BY c.given_at, c.code",
                              whom),
             fields);
        list("rejected",
             work.exec_params("SELECT at, source, reason, detail, message_id, body FROM rejects "
                              "WHERE ids && $1::bytea[] ORDER BY id",
                              whom),
             [&](const pqxx::row& row) {
                 return "{\"at\":" + json_text(row[0].as<std::string>()) +
                        ",\"source\":" + json_text(row[1].as<std::string>()) +
                        ",\"reason\":" + json_text(row[2].as<std::string>()) +
                        ",\"detail\":" + json_text(row[3].as<std::string>()) +
                        ",\"message_id\":" + json_text(row[4].as<std::string>()) +
                        ",\"text\":" + json_text(text_of(row[5])) + '}';
             });
        list("log",
             work.exec_params("SELECT \"offset\", "
                              "(extract(epoch FROM accepted_at) * 1000)::bigint, kind, customer, "
                              "body FROM log WHERE customer_hash = ANY($2::bigint[]) AND "
                              "customer = ANY($1::bytea[]) ORDER BY accepted_at, \"offset\"",
                              whom, int_array(hashes)),
             record_line);
        list("parked",
             work.exec_params("SELECT \"offset\", coalesce((extract(epoch FROM accepted_at) * "
                              "1000)::bigint, 0), kind, customer, body, at, reason FROM parked "
                              "WHERE customer = ANY($1::bytea[]) ORDER BY id",
                              whom),
             [&](const pqxx::row& row) {
                 return "{\"at\":" + json_text(row[5].as<std::string>()) +
                        ",\"reason\":" + json_text(row[6].as<std::string>()) +
                        (row[4].is_null() ? std::string{} : ",\"record\":" + record_line(row)) +
                        '}';
             });
        return lists;
    });
    if (!read) return read.error();
    return out + *read + '}';
}

} // namespace runtime
