#include "journeys/cel/map_builder.hpp"
#include "journeys/cel/plan.hpp"

namespace journeys::cel {
namespace {

/// Whether the entry is left out; an error in `value` for what is no optional.
bool is_left_out(Value& value) {
    if (value.is_error()) return false;
    if (!value.is(Kind::optional)) {
        value = Value::error("an entry with \"?\" needs an optional");
        return false;
    }
    if (!value.has_inner()) return true;
    value = value.inner();
    return false;
}

class ListNode : public Node {
public:
    ListNode(std::vector<NodePtr> items, std::vector<bool> optional_entries)
        : items_(std::move(items)), optional_entries_(std::move(optional_entries)) {}
    Value evaluate(Frame& frame) const override {
        auto* const out = frame.arena.allocate_array<Value>(items_.size());
        if (out == nullptr) return Value::error(too_large_result);
        std::size_t count = 0;
        for (std::size_t i = 0; i < items_.size(); ++i) {
            auto value = items_[i]->evaluate(frame);
            const bool is_optional = !optional_entries_.empty() && optional_entries_[i];
            if (is_optional && is_left_out(value)) continue;
            if (value.is_error()) return value;
            out[count++] = value;
        }
        return Value::list_of({out, count});
    }

private:
    std::vector<NodePtr> items_;
    std::vector<bool> optional_entries_;
};

class MapNode : public Node {
public:
    MapNode(std::vector<NodePtr> entries, std::vector<bool> optional_entries)
        : entries_(std::move(entries)), optional_entries_(std::move(optional_entries)) {}
    Value evaluate(Frame& frame) const override {
        MapBuilder builder{entries_.size() / 2, frame.arena};
        for (std::size_t i = 0; i < entries_.size(); i += 2) {
            const auto key = entries_[i]->evaluate(frame);
            auto value = entries_[i + 1]->evaluate(frame);
            const bool is_optional = !optional_entries_.empty() && optional_entries_[i / 2];
            if (is_optional && is_left_out(value)) {
                if (key.is_error()) return key;
                continue;
            }
            const auto problem = builder.add(key, value, frame.budget);
            if (problem.is_error()) return problem;
        }
        return builder.take();
    }

private:
    std::vector<NodePtr> entries_;
    std::vector<bool> optional_entries_;
};

} // namespace

NodePtr make_list(std::vector<NodePtr> items, std::vector<bool> optional_entries) {
    return std::make_unique<const ListNode>(std::move(items), std::move(optional_entries));
}
NodePtr make_map(std::vector<NodePtr> keys_and_values, std::vector<bool> optional_entries) {
    return std::make_unique<const MapNode>(std::move(keys_and_values), std::move(optional_entries));
}

} // namespace journeys::cel
