#include "journeys/recommending.hpp"

#include "journeys/environment.hpp"
#include "journeys/profile.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace journeys {
namespace {

models::ItemId item_of(std::string_view product) { return hash(product); }

/// What a rule sees of a product.
std::string packed(const ProductFacts& product) {
    PackedWriter writer;
    const auto mark = writer.begin_map();
    writer.key("id");
    writer.string(product.id);
    writer.key("name");
    writer.string(product.name);
    writer.key("category");
    writer.string(product.category);
    writer.key("price");
    if (product.price)
        writer.floating(*product.price);
    else
        writer.null();
    writer.key("in_stock");
    if (product.in_stock)
        writer.boolean(*product.in_stock);
    else
        writer.null();
    writer.end_map(mark, 5);
    return writer.take();
}

template <class Line> void take_line(ProductFacts& facts, const Line& line) {
    if (!line.name.empty()) facts.name = line.name;
    if (!line.category.empty()) facts.category = line.category;
    if (line.price != Money{}) facts.price = line.price.to_double();
}

} // namespace

std::string_view to_text(Recommendation::Why why) {
    switch (why) {
    case Recommendation::Why::related: return "related";
    case Recommendation::Why::viewed: return "viewed";
    case Recommendation::Why::popular: return "popular";
    }
    return {};
}

ProductLookup lookup_in(std::shared_ptr<const Products> products) {
    if (!products) return {};
    return [products = std::move(products)](std::string_view id) -> std::optional<ProductFacts> {
        const auto kept = products->find(id);
        if (!kept) return std::nullopt;
        const PackedView product{*kept};
        ProductFacts facts;
        facts.id = id;
        facts.name = product.string_at("name");
        facts.category = product.string_at("category");
        facts.url = product.string_at("url");
        facts.image_url = product.string_at("image_url");
        if (const auto price = product.find("price"); price.is_number())
            facts.price = price.as_double();
        if (const auto available = product.find("available"); available.is_bool())
            facts.in_stock = available.as_bool();
        else if (const auto stock = product.find("stock"); stock.is_number())
            facts.in_stock = stock.as_double() > 0;
        return facts;
    };
}

Recommendations::Recommendations(Bounds bounds)
    : bounds_(bounds), recommender_({.sessions_max = bounds.sessions}, bounds.products) {}

ProductFacts* Recommendations::fact_of(const std::string& id) {
    if (id.empty()) return nullptr;
    const auto item = item_of(id);
    const auto [facts, is_new] = products_.try_emplace(item);
    if (is_new) {
        facts->second.id = id;
        product_ages_.push_back(item);
        if (products_.size() > bounds_.products) {
            products_.erase(product_ages_.front());
            product_ages_.pop_front();
        }
    }
    return &products_.find(item)->second;
}

void Recommendations::learn_products(const Customer& customer) {
    for (const auto& id : customer.session.products) fact_of(id);
    for (const auto& cart : customer.carts)
        for (const auto& line : cart.lines)
            if (auto* const facts = fact_of(line.product_id)) {
                take_line(*facts, line);
                if (!line.url.empty()) facts->url = line.url;
                if (!line.image_url.empty()) facts->image_url = line.image_url;
            }
    for (const auto& order : customer.orders)
        for (const auto& line : order.items)
            if (auto* const facts = fact_of(line.product_id); facts && facts->name.empty())
                take_line(*facts, line);
}

void Recommendations::end(const Open& open) {
    if (open.items.empty()) return;
    recommender_.add_session(open.items, to_millis(open.last_at));
    ++ended_;
}

void Recommendations::end_idle_ones(Duration session_idle) {
    while (!seen_.empty()) {
        const auto [who, at] = seen_.front();
        const bool is_crowded =
            open_.size() > bounds_.open_sessions || seen_.size() > 4 * bounds_.open_sessions;
        if (!is_crowded && newest_ - at <= session_idle) return;
        seen_.pop_front();
        const auto open = open_.find(who);
        if (open == open_.end() || open->second.last_at != at) continue; // Seen again since.
        end(open->second);
        open_.erase(open);
    }
}

void Recommendations::see(const Customer& customer, Duration session_idle, bool is_history) {
    if (customer.forward_to || customer.session.id.empty()) return;
    learn_products(customer);
    const auto& session = customer.session;
    newest_ = std::max(newest_, session.last_at);
    const auto who = hash(customer.id);
    const auto name = hash(session.id);
    Open now{name, {}, session.last_at};
    for (auto product = session.products.rbegin(); product != session.products.rend(); ++product)
        now.items.push_back(item_of(*product));
    if (newest_ - session.last_at > session_idle && !open_.contains(who)) {
        if (is_history) end(now); // Else it was learned from when it ended.
        return;
    }
    const auto [known, is_new] = open_.try_emplace(who);
    auto& open = known->second;
    if (!is_new && open.session != name) end(open);
    if (is_new || open.session != name || open.last_at != session.last_at)
        seen_.emplace_back(who, session.last_at);
    open = std::move(now);
    end_idle_ones(session_idle);
}

std::vector<Recommendation> Recommendations::recommend(const Customer* customer, std::size_t n,
                                                       Timestamp now, const Catalog& catalog,
                                                       const ProductLookup& lookup) const {
    static const Customer nobody;
    const auto& who = customer ? *customer : nobody;
    std::set<models::ItemId> left_out;
    for (const auto& order : who.orders)
        if (order.status == OrderStatus::placed)
            for (const auto& line : order.items) left_out.insert(item_of(line.product_id));
    if (const auto* cart = current_cart(who); cart && !cart->ordered)
        for (const auto& line : cart->lines)
            if (line.quantity > 0) left_out.insert(item_of(line.product_id));

    const auto& rules = catalog.offers()->recommend;
    Evaluator evaluator;
    std::map<std::string, std::size_t, std::less<>> by_category;
    std::vector<Recommendation> result;
    std::size_t asked = 0;
    const auto take = [&](models::ItemId item, Recommendation::Why why) {
        if (result.size() >= n || asked >= ranked_max || !left_out.insert(item).second) return;
        const auto known = products_.find(item);
        if (known == products_.end()) return;
        ++asked;
        auto facts = known->second;
        if (lookup)
            if (auto told = lookup(facts.id)) facts = std::move(*told);
        if (facts.in_stock && !*facts.in_stock) return;
        const auto seen = packed(facts);
        evaluator.look_at({.customer = &who,
                           .now = now,
                           .received_at = now,
                           .catalog = &catalog,
                           .context = seen});
        if (!std::ranges::all_of(rules.when,
                                 [&](const Expression& rule) { return evaluator.is_met(rule); }))
            return;
        if (rules.per_category && !facts.category.empty() &&
            ++by_category[facts.category] > *rules.per_category)
            return;
        result.push_back({std::move(facts), why});
    };

    std::vector<models::ItemId> session;
    for (auto product = who.session.products.rbegin(); product != who.session.products.rend();
         ++product)
        session.push_back(item_of(*product));
    const std::set<models::ItemId> viewed{session.begin(), session.end()};
    if (!session.empty())
        for (const auto item : recommender_.related(session, ranked_max))
            if (!viewed.contains(item)) take(item, Recommendation::Why::related);
    for (auto item = session.rbegin(); item != session.rend(); ++item)
        take(*item, Recommendation::Why::viewed);
    for (const auto item : recommender_.popular(ranked_max))
        take(item, Recommendation::Why::popular);
    return result;
}

} // namespace journeys
