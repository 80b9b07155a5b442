/// What runs: a tree of nodes in which every name has become a slot, and every choice that can be
/// made before the values are known has been made.
#pragma once

#include "journeys/cel/ast.hpp"
#include "journeys/cel/compare.hpp"
#include "journeys/cel/environment.hpp"
#include "journeys/cel/pattern.hpp"
#include "journeys/cel/program.hpp"
#include "journeys/cel/record_condition.hpp"
#include "journeys/cel/storage.hpp"

#include <memory>
#include <string>
#include <vector>

namespace journeys::cel {

/// The state of one evaluation.
struct Frame {
    std::span<const Value> variables;
    const void* context;
    Arena& arena;
    Budget budget;
    Value* locals;
};

/// The field of a record whose type is known: its position, its name, and where it lies.
struct FieldAt {
    unsigned index = 0;
    Storage storage = {};
};

/// What a node is, for those who can spare the call: a variable, or a field of one.
struct Leaf {
    enum class Kind : std::uint8_t {
        none,
        variable,
        local, ///< A macro's variable.
        variable_field,
        local_field
    } kind = Kind::none;
    unsigned slot = 0;
    FieldAt field = {};
};

/// Nodes are immutable. Their depth is that of the tree, which the parser has bounded.
class Node {
public:
    virtual ~Node() = default;
    virtual Value evaluate(Frame& frame) const = 0;
    /// The value where it is known beforehand, else nullptr.
    virtual const Value* constant() const { return nullptr; }
    virtual Leaf leaf() const { return {}; }
};
using NodePtr = std::unique_ptr<const Node>;

/// A node of which the leaves of most conditions, constants and fields of variables, are read in
/// place: each spares one to three calls.
class Operand {
public:
    explicit Operand(NodePtr node)
        : node_(std::move(node)), constant_(node_->constant()), leaf_(node_->leaf()) {}
    Value evaluate(Frame& frame) const {
        if (constant_ != nullptr) return *constant_;
        switch (leaf_.kind) {
        case Leaf::Kind::none: break;
        case Leaf::Kind::local: return frame.locals[leaf_.slot];
        case Leaf::Kind::variable:
            if (leaf_.slot < frame.variables.size()) return frame.variables[leaf_.slot];
            break;
        case Leaf::Kind::variable_field:
            if (leaf_.slot >= frame.variables.size()) break;
            if (Value found; read(frame.variables[leaf_.slot], found, frame)) return found;
            break;
        case Leaf::Kind::local_field:
            if (Value found; read(frame.locals[leaf_.slot], found, frame)) return found;
            break;
        }
        return node_->evaluate(frame);
    }

private:
    bool read(Value from, Value& found, Frame& frame) const {
        if (!from.is(Kind::object)) return false;
        const auto& object = *from.as_object();
        const auto& [index, storage] = leaf_.field;
        if (storage.form != Storage::Form::called && object.memory != nullptr)
            found = read_stored(object.memory, storage);
        else
            found = object.field(index, frame.arena);
        return true;
    }

    NodePtr node_;
    const Value* constant_; ///< Lives in the node.
    Leaf leaf_;
};

struct Plan {
    std::string source;
    Arena constants{256}; ///< What the nodes' constants borrow.
    NodePtr root;
    unsigned locals = 0;
    std::uint64_t reads = 0; ///< A bit for each slot of a variable.
    Type type;
    std::vector<Path> paths;
    std::vector<Call> calls;
    std::vector<Comparison> comparisons;
};

/// Plans a checked tree. Constants move into `constants`.
NodePtr plan(const Expr& root, const Environment& environment, Arena& constants);

// The kinds of nodes, by theme
// -------------------------------------------------------------------------

NodePtr make_constant(Value value);
NodePtr make_failure(std::string text); ///< Always an error.

// plan_access.cpp
NodePtr make_variable(unsigned slot, const std::string& name);
NodePtr make_local(unsigned slot);
NodePtr make_field(NodePtr operand, FieldAt field, const std::string& name, bool missing_is_null);
NodePtr make_select(NodePtr operand, const std::string& name, bool is_optional,
                    bool missing_is_null);
NodePtr make_has(NodePtr operand, const std::string& name);
NodePtr make_index(NodePtr operand, NodePtr key, bool is_optional, bool missing_is_null);

// plan_operators.cpp
NodePtr make_unary(Operation operation, NodePtr operand);
NodePtr make_binary(Operation operation, NodePtr left, NodePtr right, bool is_strict);
NodePtr make_logic(Operation operation, std::vector<NodePtr> operands);
NodePtr make_conditional(NodePtr condition, NodePtr yes, NodePtr no);

// plan_collections.cpp
NodePtr make_list(std::vector<NodePtr> items, std::vector<bool> optional_entries);
NodePtr make_map(std::vector<NodePtr> keys_and_values, std::vector<bool> optional_entries);

// plan_macros.cpp
struct MacroParts {
    unsigned first_local;
    std::size_t variables;
    std::vector<NodePtr> arguments;
    std::size_t item_cost;      ///< What one item takes, in steps.
    RecordConditionPtr records; ///< The condition once more, if it can be one.
};
NodePtr make_macro(Macro macro, MacroParts parts);

// plan_calls.cpp
NodePtr make_call(const Expr& call, std::vector<NodePtr> arguments, const Environment& environment,
                  PatternAllowance& patterns);

} // namespace journeys::cel
