#include "journeys/cel/plan.hpp"

#include <cmath>

namespace journeys::cel {
namespace {

class VariableNode : public Node {
public:
    VariableNode(unsigned slot, const std::string& name)
        : slot_(slot), missing_("no value for " + name) {}
    Value evaluate(Frame& frame) const override {
        if (slot_ < frame.variables.size()) [[likely]]
            return frame.variables[slot_];
        return Value::error(missing_);
    }

    Leaf leaf() const override { return {Leaf::Kind::variable, slot_}; }

private:
    unsigned slot_;
    std::string missing_;
};

class LocalNode : public Node {
public:
    explicit LocalNode(unsigned slot) : slot_(slot) {}
    Value evaluate(Frame& frame) const override { return frame.locals[slot_]; }
    Leaf leaf() const override { return {Leaf::Kind::local, slot_}; }

private:
    unsigned slot_;
};

/// How a field is found by its name in whatever the operand turns out to be.
class Selector {
public:
    Selector(std::string name, bool missing_is_null)
        : name_(std::move(name)), missing_("no such key: " + name_),
          not_a_map_("only maps and records have fields, as ." + name_),
          missing_is_null_(missing_is_null) {}

    enum class Answer { found, missing, failed };
    Answer find(Value from, Value& found, Frame& frame) const {
        Arena& arena = frame.arena;
        if (from.is(Kind::map)) [[likely]] {
            // Maps are searched from the front, but for those of the host.
            if (from.form() == Value::Form::packed) [[likely]] {
                std::size_t passed = 0;
                const auto view = from.packed().find(name_, passed);
                if (!frame.budget.charge(1 + passed / 16)) return out_of_budget(found);
                if (!view) return Answer::missing;
                found = Value::packed(view);
                return Answer::found;
            }
            const bool is_host = from.form() == Value::Form::host;
            if (!frame.budget.charge(is_host ? 1 : 1 + from.size() / 16))
                return out_of_budget(found);
            return from.find(name_, found, arena) ? Answer::found : Answer::missing;
        }
        if (from.is(Kind::object)) {
            const auto& fields = from.as_object()->object_type().fields;
            for (unsigned i = 0; i < fields.size(); ++i) {
                if (fields[i].name != name_) continue;
                found = from.as_object()->field(i, arena);
                return found.is_error() ? Answer::failed : Answer::found;
            }
            return Answer::missing;
        }
        if (from.is_null() && missing_is_null_) return Answer::missing;
        found = from.is_error() ? from : Value::error(not_a_map_);
        return Answer::failed;
    }

    Value missing() const { return missing_is_null_ ? Value::null() : Value::error(missing_); }

private:
    static Answer out_of_budget(Value& found) {
        found = Value::error(out_of_steps);
        return Answer::failed;
    }

    std::string name_;
    std::string missing_;
    std::string not_a_map_;
    bool missing_is_null_;
};

class FieldNode : public Node {
public:
    FieldNode(NodePtr operand, FieldAt field, const std::string& name, bool missing_is_null)
        : leaf_(of_leaf(operand->leaf(), field)), operand_(std::move(operand)),
          selector_(name, missing_is_null), field_(field) {}
    Leaf leaf() const override { return leaf_; }
    Value evaluate(Frame& frame) const override {
        const auto from = operand_.evaluate(frame);
        if (from.is(Kind::object)) [[likely]] {
            const auto& object = *from.as_object();
            if (field_.storage.form != Storage::Form::called && object.memory != nullptr)
                return read_stored(object.memory, field_.storage);
            return object.field(field_.index, frame.arena);
        }
        Value found; // null, an error, or a host that gave something else than it declared.
        switch (selector_.find(from, found, frame)) {
        case Selector::Answer::found:
        case Selector::Answer::failed: return found;
        case Selector::Answer::missing: break;
        }
        return selector_.missing();
    }

private:
    static Leaf of_leaf(Leaf operand, FieldAt field) {
        switch (operand.kind) {
        case Leaf::Kind::variable: return {Leaf::Kind::variable_field, operand.slot, field};
        case Leaf::Kind::local: return {Leaf::Kind::local_field, operand.slot, field};
        case Leaf::Kind::none:
        case Leaf::Kind::variable_field:
        case Leaf::Kind::local_field: break;
        }
        return {};
    }

    Leaf leaf_;
    Operand operand_;
    Selector selector_;
    FieldAt field_;
};

class SelectNode : public Node {
public:
    SelectNode(NodePtr operand, const std::string& name, bool is_optional, bool missing_is_null)
        : operand_(std::move(operand)), selector_(name, missing_is_null),
          is_optional_(is_optional) {}
    Value evaluate(Frame& frame) const override {
        auto from = operand_.evaluate(frame);
        bool is_optional = is_optional_;
        if (from.is(Kind::optional)) {
            if (!from.has_inner()) return from;
            from = from.inner();
            is_optional = true;
        }
        Value found;
        switch (selector_.find(from, found, frame)) {
        case Selector::Answer::found:
            return is_optional ? Value::optional_of(found, frame.arena) : found;
        case Selector::Answer::failed: return found;
        case Selector::Answer::missing: break;
        }
        return is_optional ? Value::optional_none() : selector_.missing();
    }

private:
    Operand operand_;
    Selector selector_;
    bool is_optional_;
};

class HasNode : public Node {
public:
    HasNode(NodePtr operand, const std::string& name)
        : operand_(std::move(operand)), selector_(name, false) {}
    Value evaluate(Frame& frame) const override {
        auto from = operand_->evaluate(frame);
        if (from.is(Kind::optional)) {
            if (!from.has_inner()) return Value::boolean(false);
            from = from.inner();
        }
        // What is null was missing, or has nothing in it.
        if (from.is_null()) return Value::boolean(false);
        Value found;
        switch (selector_.find(from, found, frame)) {
        case Selector::Answer::found:
            // A record has all its fields; the question is whether there is something in it.
            return Value::boolean(!(from.is(Kind::object) && found.is_null()));
        case Selector::Answer::failed: return found;
        case Selector::Answer::missing: break;
        }
        return Value::boolean(false);
    }

private:
    NodePtr operand_;
    Selector selector_;
};

bool is_key(Value value) {
    return value.is(Kind::string) || value.is(Kind::boolean) || value.is_number();
}

/// An index of a list: an int, a uint or a double without a fraction.
bool read_index(Value key, std::size_t& index) {
    if (key.is(Kind::integer) && key.as_int() >= 0) {
        index = static_cast<std::size_t>(key.as_int());
        return true;
    }
    if (key.is(Kind::unsigned_integer)) {
        index = key.as_uint();
        return true;
    }
    if (!key.is(Kind::floating)) return false;
    const double number = key.as_double();
    if (!(number >= 0 && number < 1e15) || number != std::floor(number)) return false;
    index = static_cast<std::size_t>(number);
    return true;
}

class IndexNode : public Node {
public:
    IndexNode(NodePtr operand, NodePtr key, bool is_optional, bool missing_is_null)
        : operand_(std::move(operand)), key_(std::move(key)), is_optional_(is_optional),
          missing_is_null_(missing_is_null) {}

    Value evaluate(Frame& frame) const override {
        auto from = operand_->evaluate(frame);
        if (from.is_error()) return from;
        const auto key = key_->evaluate(frame);
        if (key.is_error()) return key;
        bool is_optional = is_optional_;
        if (from.is(Kind::optional)) {
            if (!from.has_inner()) return from;
            from = from.inner();
            is_optional = true;
        }
        if (from.is(Kind::list)) return item(from, key, is_optional, frame);
        if (from.is(Kind::map)) return entry(from, key, is_optional, frame);
        if (from.is(Kind::object) && key.is(Kind::string)) {
            const Selector selector{std::string{key.as_string()}, missing_is_null_};
            Value found;
            if (selector.find(from, found, frame) != Selector::Answer::missing) {
                return is_optional && !found.is_error() ? Value::optional_of(found, frame.arena)
                                                        : found;
            }
            return missing(key, is_optional, frame);
        }
        if (from.is_null() && missing_is_null_) return missing(key, is_optional, frame);
        return Value::error("only lists, maps and records are indexed");
    }

private:
    Value item(Value list, Value key, bool is_optional, Frame& frame) const {
        std::size_t index = 0;
        const bool is_index = read_index(key, index);
        if (!is_index && !key.is_number()) return Value::error("a list is indexed by a number");
        if (!is_index || index >= list.size()) {
            return is_optional ? Value::optional_none() : Value::error("index out of range");
        }
        // Packed lists are walked to the index.
        if (!frame.budget.charge(1 + index / 16)) return Value::error(out_of_steps);
        const auto found = list.at(index, frame.arena);
        return is_optional && !found.is_error() ? Value::optional_of(found, frame.arena) : found;
    }

    Value entry(Value map, Value key, bool is_optional, Frame& frame) const {
        if (key.is_null() && missing_is_null_) return missing(key, is_optional, frame);
        if (!is_key(key)) return Value::error("this is no key of a map");
        if (!frame.budget.charge(1 + map.size() / 16)) return Value::error(out_of_steps);
        Value found;
        if (!map.find(key, found, frame.arena)) return missing(key, is_optional, frame);
        return is_optional && !found.is_error() ? Value::optional_of(found, frame.arena) : found;
    }

    Value missing(Value key, bool is_optional, Frame& frame) const {
        if (is_optional) return Value::optional_none();
        if (missing_is_null_) return Value::null();
        if (!key.is(Kind::string)) return Value::error("no such key");
        return Value::error("no such key: ", key.as_string().substr(0, 100), frame.arena);
    }

    NodePtr operand_;
    NodePtr key_;
    bool is_optional_;
    bool missing_is_null_;
};

} // namespace

NodePtr make_variable(unsigned slot, const std::string& name) {
    return std::make_unique<const VariableNode>(slot, name);
}
NodePtr make_local(unsigned slot) { return std::make_unique<const LocalNode>(slot); }
NodePtr make_field(NodePtr operand, FieldAt field, const std::string& name, bool missing_is_null) {
    return std::make_unique<const FieldNode>(std::move(operand), field, name, missing_is_null);
}
NodePtr make_select(NodePtr operand, const std::string& name, bool is_optional,
                    bool missing_is_null) {
    return std::make_unique<const SelectNode>(std::move(operand), name, is_optional,
                                              missing_is_null);
}
NodePtr make_has(NodePtr operand, const std::string& name) {
    return std::make_unique<const HasNode>(std::move(operand), name);
}
NodePtr make_index(NodePtr operand, NodePtr key, bool is_optional, bool missing_is_null) {
    return std::make_unique<const IndexNode>(std::move(operand), std::move(key), is_optional,
                                             missing_is_null);
}

} // namespace journeys::cel
