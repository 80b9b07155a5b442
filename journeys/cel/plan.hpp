/// What runs: a tree of nodes in which every name has become a slot, and every choice that can be
/// made before the values are known has been made.
#pragma once

#include "journeys/cel/ast.hpp"
#include "journeys/cel/compare.hpp"
#include "journeys/cel/environment.hpp"
#include "journeys/cel/program.hpp"

#include <memory>
#include <optional>
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

/// `item.price` of a macro's variable.
struct LocalField {
    unsigned slot, index;
};

/// Nodes are immutable. Their depth is that of the tree, which the parser has bounded.
class Node {
public:
    virtual ~Node() = default;
    virtual Value evaluate(Frame& frame) const = 0;
    /// The value where it is known beforehand, else nullptr.
    virtual const Value* constant() const { return nullptr; }
    /// The slot, where this is nothing but a macro's variable.
    virtual std::optional<unsigned> local() const { return std::nullopt; }
    /// The field, where this is nothing but a field of a macro's variable.
    virtual std::optional<LocalField> local_field() const { return std::nullopt; }
};
using NodePtr = std::unique_ptr<const Node>;

/// A node of which the leaves of most conditions over items, constants and fields of the macro's
/// variable, are read in place: each spares a virtual call per item.
class Operand {
public:
    explicit Operand(NodePtr node)
        : node_(std::move(node)), constant_(node_->constant()), field_(node_->local_field()) {}
    Value evaluate(Frame& frame) const {
        if (constant_ != nullptr) return *constant_;
        if (field_) {
            const auto from = frame.locals[field_->slot];
            if (from.is(Kind::object)) [[likely]]
                return from.as_object()->field(field_->index, frame.arena);
        }
        return node_->evaluate(frame);
    }

private:
    NodePtr node_;
    const Value* constant_; ///< Lives in the node.
    std::optional<LocalField> field_;
};

struct Plan {
    std::string source;
    Arena constants{256}; ///< What the nodes' constants borrow.
    NodePtr root;
    unsigned locals = 0;
    Type type;
    std::vector<Path> paths;
    std::vector<Call> calls;
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
NodePtr make_field(NodePtr operand, unsigned index, const std::string& name, bool missing_is_null);
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
NodePtr make_macro(Macro macro, unsigned first_local, std::size_t variables,
                   std::vector<NodePtr> arguments);

// plan_calls.cpp
NodePtr make_call(const Expr& call, std::vector<NodePtr> arguments, const Environment& environment);

} // namespace journeys::cel
