#include "schema/model_json.hpp"

#include "journeys/ids.hpp"
#include "journeys/intent.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <stdexcept>
#include <utility>

namespace schema {
namespace {

using namespace journeys::models;
using Json = nlohmann::ordered_json;
using journeys::Error;
using journeys::ErrorCode;

/// What is wrong with a key; caught within this file.
struct Wrong : std::runtime_error {
    using std::runtime_error::runtime_error;
};

double number(const Json& json, const std::string& key) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_number()) throw Wrong{key + " is missing or no number"};
    const double value = found->get<double>();
    if (!std::isfinite(value)) throw Wrong{key + " is not finite"};
    return value;
}

double positive(const Json& json, const std::string& key) {
    const double value = number(json, key);
    if (!(value > 0)) throw Wrong{key + " must be positive"};
    return value;
}

Quintiles quintiles(const Json& json, const std::string& key) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_array() || found->size() != 4)
        throw Wrong{key + " must be four numbers, rising"};
    Quintiles cuts{};
    for (std::size_t i = 0; i < 4; ++i) {
        if (!(*found)[i].is_number()) throw Wrong{key + " must be four numbers, rising"};
        cuts[i] = (*found)[i].get<double>();
        if (!std::isfinite(cuts[i]) || (i > 0 && cuts[i] < cuts[i - 1]))
            throw Wrong{key + " must be four numbers, rising"};
    }
    return cuts;
}

Logistic read_intent(const Json& json) {
    Logistic model;
    model.intercept = number(json, "intercept");
    for (const auto& feature : journeys::intent_features()) {
        model.names.push_back(feature.name);
        model.weights.push_back(0);
    }
    const auto weights = json.value("weights", Json::object());
    for (const auto& [name, weight] : weights.items()) {
        const auto found = std::ranges::find(model.names, name);
        if (found == model.names.end()) throw Wrong{"intent has no feature " + name};
        model.weights[static_cast<std::size_t>(found - model.names.begin())] =
            number(weights, name);
    }
    return model;
}

ModelSet read(const Json& json) {
    if (!json.is_object()) throw Wrong{"it is no object"};
    const auto kind = json.value("model", std::string{});
    const auto parameters = json.value("parameters", Json::object());
    ModelSet set;
    auto& model = set.purchases;
    if (kind == "bgnbd" || kind == "mbgnbd")
        model.purchases = BgNbd{.r = positive(parameters, "r"),
                                .alpha = positive(parameters, "alpha"),
                                .a = positive(parameters, "a"),
                                .b = positive(parameters, "b"),
                                .modified = kind == "mbgnbd"};
    else if (kind == "paretonbd")
        model.purchases = ParetoNbd{.r = positive(parameters, "r"),
                                    .alpha = positive(parameters, "alpha"),
                                    .s = positive(parameters, "s"),
                                    .beta = positive(parameters, "beta")};
    else if (kind == "nbd")
        model.purchases =
            Nbd{.r = positive(parameters, "r"), .alpha = positive(parameters, "alpha")};
    else if (!json.contains("model") && json.contains("intent"))
        set.has_purchases = false;
    else
        throw Wrong{"model must be bgnbd, mbgnbd, paretonbd or nbd"};
    if (const auto intent = json.find("intent"); intent != json.end())
        set.intent = read_intent(*intent);
    if (const auto spend = json.find("spend"); spend != json.end())
        model.spend = GammaGamma{
            .p = positive(*spend, "p"), .q = positive(*spend, "q"), .v = positive(*spend, "v")};
    if (json.contains("discount_per_year"))
        model.discount_per_year = number(json, "discount_per_year");
    if (!(model.discount_per_year > -1)) throw Wrong{"discount_per_year must be above -1"};
    set.currency = json.value("currency", std::string{});
    set.fitted_until = json.value("fitted_until", std::string{});
    // Null is what JSON makes of a number without end: nobody is a VIP.
    if (const auto cut = json.find("vip_clv"); cut != json.end() && !cut->is_null())
        set.cuts.vip_clv = number(json, "vip_clv");
    if (const auto rfm = json.find("rfm"); rfm != json.end()) {
        set.cuts.recency_days = quintiles(*rfm, "recency_days");
        set.cuts.orders = quintiles(*rfm, "orders");
        set.cuts.spend = quintiles(*rfm, "spend");
        set.cuts.has_rfm = true;
    }
    return set;
}

} // namespace

journeys::Result<ModelSet> parse_models(std::string_view text) {
    const auto refuse = [](std::string_view why) {
        return Error{ErrorCode::invalid_argument, "this is no model: " + std::string{why}};
    };
    try { // The border: nlohmann throws, we return.
        auto set = read(Json::parse(text));
        set.version = journeys::hash(text) | 1;
        if (set.has_purchases) set.prepare();
        return set;
    } catch (const nlohmann::json::exception& error) {
        return refuse(error.what());
    } catch (const Wrong& wrong) {
        return refuse(wrong.what());
    }
}

std::string to_json(const ModelSet& set) {
    Json json;
    if (set.intent) {
        auto& intent = json["intent"];
        intent["intercept"] = set.intent->intercept;
        for (std::size_t i = 0; i < set.intent->names.size(); ++i)
            intent["weights"][set.intent->names[i]] = set.intent->weights[i];
    }
    if (!set.has_purchases) return json.dump(2) + "\n";
    std::visit(
        [&](const auto& model) {
            using Model = std::decay_t<decltype(model)>;
            if constexpr (std::is_same_v<Model, BgNbd>) {
                json["model"] = model.modified ? "mbgnbd" : "bgnbd";
                json["parameters"] = {
                    {"r", model.r}, {"alpha", model.alpha}, {"a", model.a}, {"b", model.b}};
            } else if constexpr (std::is_same_v<Model, ParetoNbd>) {
                json["model"] = "paretonbd";
                json["parameters"] = {
                    {"r", model.r}, {"alpha", model.alpha}, {"s", model.s}, {"beta", model.beta}};
            } else {
                json["model"] = "nbd";
                json["parameters"] = {{"r", model.r}, {"alpha", model.alpha}};
            }
        },
        set.purchases.purchases);
    if (const auto& spend = set.purchases.spend)
        json["spend"] = {{"p", spend->p}, {"q", spend->q}, {"v", spend->v}};
    json["discount_per_year"] = set.purchases.discount_per_year;
    if (!set.currency.empty()) json["currency"] = set.currency;
    if (!set.fitted_until.empty()) json["fitted_until"] = set.fitted_until;
    if (set.cuts.vip_clv && std::isfinite(*set.cuts.vip_clv)) // JSON has no word for infinity.
        json["vip_clv"] = *set.cuts.vip_clv;
    if (set.cuts.has_rfm)
        json["rfm"] = {{"recency_days", set.cuts.recency_days},
                       {"orders", set.cuts.orders},
                       {"spend", set.cuts.spend}};
    return json.dump(2) + "\n";
}

} // namespace schema
