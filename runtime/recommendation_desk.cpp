#include "runtime/recommendation_desk.hpp"

#include "runtime/customer_search.hpp"
#include "runtime/foreign_json.hpp"
#include "runtime/postgres/connection.hpp"

#include <nlohmann/json.hpp>

namespace runtime {
namespace {

using journeys::Customer;
using Json = nlohmann::ordered_json;

std::string answer_text(const std::vector<journeys::Recommendation>& products) {
    Json json;
    json["products"] = Json::array();
    for (const auto& [product, why] : products) {
        Json one;
        one["product_id"] = product.id;
        for (const auto& [name, text] :
             {std::pair{"name", &product.name}, std::pair{"category", &product.category},
              std::pair{"url", &product.url}, std::pair{"image_url", &product.image_url}})
            if (!text->empty()) one[name] = *text;
        if (product.price) one["price"] = *product.price;
        if (product.in_stock) one["in_stock"] = *product.in_stock;
        one["why"] = journeys::to_text(why);
        json["products"].push_back(std::move(one));
    }
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

struct Question {
    std::string customer; ///< Empty: nobody.
    std::size_t n = 5;
};

journeys::Result<Question> read(std::string_view body) {
    const auto refuse = [](std::string why) {
        return journeys::Error{journeys::ErrorCode::invalid_argument, std::move(why)};
    };
    const auto json = parse_json(body);
    if (!json.is_object()) return refuse("a JSON object is expected");
    Question question;
    for (const auto& [name, value] : json.items()) {
        if (name == "customer") {
            if (!value.is_string() || value.get_ref<const std::string&>().empty() ||
                value.get_ref<const std::string&>().size() > 512)
                return refuse("customer is a text of 1 to 512 bytes");
            question.customer = value.get<std::string>();
        } else if (name == "n") {
            if (!value.is_number_unsigned() || value.get<std::uint64_t>() < 1 ||
                value.get<std::uint64_t>() > journeys::recommendations_max)
                return refuse("n is a whole number from 1 to " +
                              std::to_string(journeys::recommendations_max));
            question.n = value.get<std::size_t>();
        } else {
            return refuse("unknown member; known are customer, n");
        }
    }
    return question;
}

} // namespace

RecommendationDesk::RecommendationDesk(journeys::Duration session_idle,
                                       journeys::ProductLookup lookup, Log& log)
    : session_idle_(session_idle), lookup_(std::move(lookup)), log_(log) {}

RecommendationDesk::~RecommendationDesk() { stop(); }

void RecommendationDesk::stop() {
    stopping_ = true;
    worker_.join();
}

void RecommendationDesk::see(const std::vector<actors::Block>& blocks) {
    Customer customer;
    for (const auto& block : blocks) {
        if (stopping_) return;
        if (!journeys::unpack(*block, customer)) continue;
        const std::scoped_lock lock{mutex_}; // Taken anew for each, so that nobody waits for all.
        learned_.see(customer, session_idle_);
    }
}

void RecommendationDesk::remember(std::string conninfo) {
    boost::asio::post(worker_,
                      [this, conninfo = std::move(conninfo)] { read_snapshots(conninfo); });
}

void RecommendationDesk::read_snapshots(const std::string& conninfo) {
    const auto fail = [&](const journeys::Error& error) {
        if (!stopping_) log_.warning("recommendations begin anew", {{"why", error.detail}});
    };
    auto connection =
        Connection::open({.conninfo = conninfo, .instance = "recommend"}, "recommend");
    if (!connection) return fail(connection.error());
    Customer customer;
    SqlParams params;
    params.add(std::int64_t{customers_at_start});
    const auto read = connection->stream(
        "SELECT block FROM snapshots LIMIT $1", params, [&](const SqlRows& rows) {
            if (stopping_ || !journeys::unpack(rows.bytes(0, 0), customer)) return;
            const std::scoped_lock lock{mutex_};
            learned_.see(customer, session_idle_, true);
        });
    if (!read) fail(read.error());
}

void RecommendationDesk::flushed(const actors::FlushRequest& request) {
    for (const auto& write : request.customers)
        if (write.block && !waiting_.add(write.block)) return;
}

std::vector<journeys::Recommendation>
RecommendationDesk::recommend(const Customer* customer, std::size_t n, journeys::Timestamp now,
                              const journeys::Catalog& catalog) const {
    const std::scoped_lock lock{mutex_};
    return learned_.recommend(customer, n, now, catalog, lookup_);
}

Handlers make_recommend_route(const RecommendRouteParts& given) {
    const auto parts = std::make_shared<const RecommendRouteParts>(given);
    return {{"POST", "/v1/recommend", Scope::decide, [parts](Request request, Respond respond) {
                 if (!parts->system.has_started())
                     return respond(error_response(503, "this process stands by"));
                 auto question = read(request.body);
                 if (!question) return respond(error_response(400, question.error().detail));
                 const auto answer = [parts, respond, n = question->n](const Customer* customer) {
                     respond({.body = answer_text(parts->desk->recommend(
                                  customer, n, parts->now(), *parts->publications.newest()))});
                 };
                 if (question->customer.empty()) return answer(nullptr);
                 find_customer(parts->system, question->customer, StateAsked::at_hand,
                               [answer, respond](const FoundCustomer& found) {
                                   if (!found || !*found) return respond(answer_without(found));
                                   answer(found->customer.get());
                               });
             }}};
}

} // namespace runtime
