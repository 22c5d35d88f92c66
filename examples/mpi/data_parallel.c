/* Data-parallel training: each rank takes its part of every batch, gradients are averaged over
 * ranks, and rank 0 writes the model.
 *
 *     mpirun -n 2 data_parallel OUT.safetensors [STEPS [BATCH [none|batch]]]
 *
 * BATCH is the whole one, of all ranks together; the last word is the norm of generator and
 * encoder. docs/cluster.md says more. */
#include <ddaebm/ddaebm.h>

#include <limits.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

/* Leaves the function if a call failed. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != DDAEBM_OK)                                                                   \
            goto cleanup;                                                                          \
    } while (0)

typedef struct ranks {
    int rank, count;
    unsigned long long rows_read;
} ranks;

/* Between gradients and update: all ranks then update alike. MPI counts with int. */
static ddaebm_status average(void *user, ddaebm_network network, float *gradients,
                             size_t elements) {
    const ranks *all = user;
    (void)network;
    if (elements > INT_MAX || MPI_Allreduce(MPI_IN_PLACE, gradients, (int)elements, MPI_FLOAT,
                                            MPI_SUM, MPI_COMM_WORLD) != MPI_SUCCESS)
        return DDAEBM_UNSUPPORTED;
    for (size_t i = 0; i < elements; i++)
        gradients[i] /= (float)all->count;
    return DDAEBM_OK;
}

/* Row i is a function of i alone, on whichever rank. Data in a file would be read here: a rank is
 * asked for its rows only. */
static ddaebm_status read_ring(void *user, uint64_t first, size_t count, float *out) {
    ranks *self = user;
    for (size_t i = 0; i < count; i++) {
        double turn = fmod((double)(first + i) * 0.6180339887498949, 1.0) * 6.283185307179586;
        double radius = 1 + 0.1 * sin(8 * turn);
        out[2 * i] = (float)(radius * cos(turn));
        out[2 * i + 1] = (float)(radius * sin(turn));
    }
    self->rows_read += count;
    return DDAEBM_OK;
}

/* The same on every rank: configuration, seeds, and so first weights. */
static ddaebm_status make_trainer(ddaebm_trainer **out, ranks *self, const ddaebm_dataset *dataset,
                                  uint64_t steps, long batch, const char *norm) {
    ddaebm_config *config = NULL;
    ddaebm_model *start = NULL;
    ddaebm_status status;
    TRY(ddaebm_config_create(&config, NULL, "toy"));
    TRY(ddaebm_config_set_integer(config, "training.steps", (int64_t)steps));
    TRY(ddaebm_config_set_integer(config, "training.batch", batch / self->count));
    TRY(ddaebm_config_set(config, "data.standardize",
                          "never")); /* measured by one rank and given to all, or known, as here */
    TRY(ddaebm_config_set(config, "generator.norm", norm));
    TRY(ddaebm_config_set(config, "encoder.norm", norm));
    TRY(ddaebm_model_create(&start, NULL, config, 1));
    TRY(ddaebm_trainer_create(out, start, dataset, 1));
    TRY(ddaebm_trainer_set_shard(*out, (size_t)self->rank, (size_t)self->count));
    TRY(ddaebm_trainer_set_gradient_hook(*out, average, self));
cleanup:
    ddaebm_model_free(start);
    ddaebm_config_free(config);
    return status;
}

/* How far the ranks' models are apart: weights, and running statistics of batch norms. */
static ddaebm_status measure_spread(double spread[2], const ddaebm_model *model) {
    ddaebm_parameter_info info = DDAEBM_PARAMETER_INFO_INIT;
    ddaebm_status status = DDAEBM_OK;
    float *values = NULL, *least = NULL, *most = NULL;
    spread[0] = spread[1] = 0;
    for (size_t i = 0; i < ddaebm_model_parameter_count(model); i++) {
        TRY(ddaebm_model_parameter_info(model, i, &info));
        values = realloc(values, info.elements * sizeof *values);
        least = realloc(least, info.elements * sizeof *least);
        most = realloc(most, info.elements * sizeof *most);
        TRY(values && least && most ? DDAEBM_OK : DDAEBM_OUT_OF_MEMORY);
        TRY(ddaebm_model_parameter(model, info.name, values, info.elements));
        MPI_Allreduce(values, least, (int)info.elements, MPI_FLOAT, MPI_MIN, MPI_COMM_WORLD);
        MPI_Allreduce(values, most, (int)info.elements, MPI_FLOAT, MPI_MAX, MPI_COMM_WORLD);
        for (size_t j = 0; j < info.elements; j++)
            spread[!info.trained] = fmax(spread[!info.trained], (double)most[j] - (double)least[j]);
    }
cleanup:
    free(values);
    free(least);
    free(most);
    return status;
}

static ddaebm_status train(ranks *self, const char *path, uint64_t steps, long batch,
                           const char *norm) {
    ddaebm_source ring = DDAEBM_SOURCE_INIT;
    ddaebm_dataset *dataset = NULL;
    ddaebm_trainer *trainer = NULL;
    ddaebm_model *model = NULL;
    double spread[2];
    ddaebm_status status;
    ring.width = 2;
    ring.read = read_ring;
    ring.user = self;
    TRY(ddaebm_dataset_create_source(&dataset, NULL, &ring));
    TRY(make_trainer(&trainer, self, dataset, steps, batch, norm));
    TRY(ddaebm_trainer_run_until(trainer, steps, NULL, NULL));
    TRY(measure_spread(spread, ddaebm_trainer_model(trainer)));
    if (self->rank > 0)
        goto cleanup;
    printf("%d ranks, batch %ld, norm %s: rank 0 read %llu rows; the ranks' weights differ by %g, "
           "their running statistics by %g\n",
           self->count, batch, norm, self->rows_read, spread[0], spread[1]);
    TRY(ddaebm_trainer_snapshot(&model, trainer));
    TRY(ddaebm_model_save(model, path));
cleanup:
    ddaebm_model_free(model);
    ddaebm_trainer_free(trainer);
    ddaebm_dataset_free(dataset);
    return status;
}

int main(int argc, char **argv) {
    ranks self = {0, 1, 0};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &self.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &self.count);
    const char *path = argc > 1 ? argv[1] : "data_parallel.safetensors",
               *norm = argc > 4 ? argv[4] : "batch";
    long steps = argc > 2 ? strtol(argv[2], NULL, 10) : 1000,
         batch = argc > 3 ? strtol(argv[3], NULL, 10) : 200;
    if (steps < 1 || batch < 2 * self.count || batch % self.count != 0) {
        fprintf(stderr,
                "STEPS must be 1 or more, BATCH a multiple of the %d ranks with at least 2 rows "
                "for each\n",
                self.count);
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    if (train(&self, path, (uint64_t)steps, batch, norm) != DDAEBM_OK) {
        fprintf(stderr, "rank %d: %s\n", self.rank, ddaebm_error_message());
        MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE); /* the others wait for its gradients */
    }
    MPI_Finalize();
    return EXIT_SUCCESS;
}
