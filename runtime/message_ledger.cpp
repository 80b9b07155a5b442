#include "runtime/message_ledger.hpp"

#include "runtime/database_session.hpp"

namespace runtime {

using journeys::CustomerId;
using journeys::IntentId;
using journeys::Result;

class MessageLedger::Session : public DatabaseSession {
    using DatabaseSession::DatabaseSession;
};

MessageLedger::MessageLedger(std::string conninfo)
    : session_(std::make_unique<Session>(std::move(conninfo))) {}
MessageLedger::~MessageLedger() = default;

Result<std::map<IntentId, LedgerRow>> MessageLedger::find(const std::vector<IntentId>& intents) {
    std::map<IntentId, LedgerRow> found;
    if (intents.empty()) return found;
    std::string list = "{";
    for (const auto& intent : intents)
        list += (list.size() > 1 ? "," : "") + journeys::to_text(intent);
    list += '}';
    return session_->run([&](pqxx::work& work) {
        const auto rows = work.exec_params(
            "SELECT replace(intent::text, '-', ''), customer, journey, step, channel, topic, "
            "state IN ('accepted', 'rejected') FROM outbox WHERE intent = ANY($1::uuid[])",
            list);
        for (const auto& row : rows) {
            const auto intent = journeys::parse_intent_id(row[0].as<std::string>());
            auto customer = journeys::parse_customer_id(pqxx::binarystring{row[1]}.str());
            if (!intent || !customer) continue;
            found[*intent] = {std::move(*customer),     row[2].as<std::string>(),
                              row[3].as<std::string>(), row[4].as<std::string>(),
                              row[5].as<std::string>(), row[6].as<bool>()};
        }
        return found;
    });
}

Result<std::optional<IntentId>> MessageLedger::find_answered(const CustomerId& customer,
                                                             const std::string& channel,
                                                             const std::string& answer) {
    const auto id = journeys::to_text(customer);
    return session_->run([&](pqxx::work& work) -> std::optional<IntentId> {
        const auto rows = work.exec_params(
            "SELECT replace(intent::text, '-', '') FROM outbox WHERE customer = $1 AND "
            "channel = $2 AND reason = $3 AND state = 'accepted' ORDER BY updated_at DESC LIMIT 1",
            pqxx::binarystring{id.data(), id.size()}, channel, answer);
        if (rows.empty()) return std::nullopt;
        return journeys::parse_intent_id(rows[0][0].as<std::string>());
    });
}

Result<std::vector<CustomerId>> MessageLedger::reached_at(const std::string& address) {
    return session_->run([&](pqxx::work& work) {
        std::vector<CustomerId> customers;
        const auto rows = work.exec_params(
            "SELECT customer FROM outbox WHERE address = $1 AND address <> '' GROUP BY customer "
            "ORDER BY max(updated_at) DESC LIMIT 10",
            pqxx::binarystring{address.data(), address.size()});
        for (const auto& row : rows)
            if (auto customer = journeys::parse_customer_id(pqxx::binarystring{row[0]}.str()))
                customers.push_back(std::move(*customer));
        return customers;
    });
}

} // namespace runtime
