/* The plain loops of convolutions, in double. */
#ifndef TEST_PLAIN_CONVOLUTION_H
#define TEST_PLAIN_CONVOLUTION_H

#include "tensor/graph/node.h"

/* A convolution or one of its gradients, as `data` says, of a and b. */
void test_plain_convolution(double *out, const dd_node_data *data, const double *a,
                            dd_shape a_shape, const double *b, dd_shape b_shape);

#endif
