/** @file ddaebm.h
 *  The whole interface; include this file.
 *
 *  libddaebm trains, samples and scores Denoising Diffusion Adversarial Energy-Based Models (Geng
 *  et al., ICML 2024). A first program needs five calls (examples/01_train_and_sample.c):
 *
 *      ddaebm_config_create(&config, NULL, "points");
 *      ddaebm_dataset_open(&dataset, NULL, "data.csv");
 *      ddaebm_train(&model, NULL, config, dataset, seed, NULL, NULL);
 *      ddaebm_sampler_create(&sampler, model);
 *      ddaebm_sampler_draw(sampler, seed, 0, count, rows);
 *
 *  Handles are made in this order: a context (threads, memory, log; NULL for the defaults), a
 *  configuration, a data set, a model, and of a model its trainers, samplers and scorers.
 *
 *  These rules hold for every function:
 *
 *  - *Names.* ddaebm_noun_verb. A property is read by the function of its name and written by that
 *    name after set_: ddaebm_context_threads, ddaebm_context_set_threads. No function has get_ in
 *    its name. ddaebm_config_key_info and ddaebm_model_parameter_info describe things by index.
 *  - *Order of arguments.* A function that makes a handle writes it through its first argument,
 *    `out`, and takes its context next. Any other function takes its handle first, then what it
 *    reads, and last what it writes.
 *  - *Failure.* A function that can fail returns a ::ddaebm_status; ddaebm_error_message has the
 *    details. Unless its documentation says otherwise, it has then changed nothing, neither a
 *    handle nor what an out-parameter points to.
 *  - *Ownership.* A handle that came through `out` is the caller's, to be freed by the noun's _free
 *    function, which accepts NULL. A pointer that a function returns belongs to the handle it came
 *    from.
 *  - *Numbers.* Rows are float32, row-major, in the units of the data. A function that ends in
 *    _double has float64 in the place of rows and of what is in their units; scores are float32 in
 *    both.
 *  - *Threads.* Any thread may use a handle, one at a time. Any number of threads may read a
 *    configuration, a data set or a model that nobody changes. docs/threads.md is the whole
 *    contract.
 */
#ifndef DDAEBM_H
#define DDAEBM_H

#include <ddaebm/array.h>
#include <ddaebm/config.h>
#include <ddaebm/context.h>
#include <ddaebm/dataset.h>
#include <ddaebm/model.h>
#include <ddaebm/normaliser.h>
#include <ddaebm/restorer.h>
#include <ddaebm/row_writer.h>
#include <ddaebm/sampler.h>
#include <ddaebm/scorer.h>
#include <ddaebm/status.h>
#include <ddaebm/stream.h>
#include <ddaebm/trainer.h>
#include <ddaebm/version.h>

#endif
